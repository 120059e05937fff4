// SPDX-License-Identifier: MIT
#include "debian/apt_proxy.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace kiln {

namespace {

constexpr std::string_view kDirect = "DIRECT";
constexpr std::chrono::seconds kDetectTime{30};

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

bool is_about_proxies(std::string_view name) {
    const std::string low = lower(name);
    constexpr std::array<std::string_view, 2> kSchemes{"acquire::http::", "acquire::https::"};
    return std::any_of(kSchemes.begin(), kSchemes.end(), [&](std::string_view scheme) {
        if (!low.starts_with(scheme)) {
            return false;
        }
        const std::string_view rest = std::string_view(low).substr(scheme.size());
        return rest == "proxy" || rest.starts_with("proxy::") || rest == "proxy-auto-detect" ||
               rest == "proxyautodetect"; // the name before apt 1.0
    });
}

} // namespace

std::vector<AptSetting> parse_proxy_settings(std::string_view dump) {
    std::vector<AptSetting> out;
    for (const std::string& line : split_lines(dump)) {
        // NAME "VALUE";
        const std::size_t quote = line.find(" \"");
        if (quote == std::string::npos || !line.ends_with("\";")) {
            continue;
        }
        const std::string name = line.substr(0, quote);
        const std::string value = line.substr(quote + 2, line.size() - quote - 4);
        if (is_about_proxies(name) && !value.empty() && value.find('"') == std::string::npos) {
            out.push_back({name, value});
        }
    }
    return out;
}

std::vector<AptSetting> load_proxy_settings(ProcessRunner& runner, const Environment& env) {
    Command command{"apt-config", {"dump"}, clean_environment()};
    if (const std::string file = variable(env, "APT_CONFIG"); !file.empty()) {
        command.env["APT_CONFIG"] = file;
    }
    command.timeout = kDetectTime;
    ProcessResult result;
    try {
        result = runner.run(command);
    } catch (const SystemError&) {
        return {}; // no apt here
    }
    if (!result.ok()) {
        throw ProcessError("'apt-config dump'", result);
    }
    return parse_proxy_settings(result.output);
}

AptProxies::AptProxies(std::vector<AptSetting> settings, ProcessRunner& runner)
    : settings_(std::move(settings)), runner_(runner) {}

std::optional<std::string>
AptProxies::setting(const std::string& scheme, const std::string& name) const {
    const auto find = [&](const std::string& of) -> std::optional<std::string> {
        const std::string wanted = fmt::format("acquire::{}::{}", of, name);
        // The last one counts, as in apt.
        const auto found =
            std::find_if(settings_.rbegin(), settings_.rend(), [&](const AptSetting& each) {
                return lower(each.name) == wanted;
            });
        return found == settings_.rend() ? std::nullopt : std::optional(found->value);
    };
    auto out = find(scheme);
    return out || scheme == "http" ? out : find("http");
}

std::optional<std::string> AptProxies::detect(const Url& url) const {
    auto program = setting(url.scheme(), "proxy-auto-detect");
    if (!program) {
        program = setting(url.scheme(), "proxyautodetect");
    }
    if (!program) {
        return std::nullopt;
    }
    const std::lock_guard lock(mutex_);
    const auto known = detected_.find(url.origin());
    if (known != detected_.end()) {
        return known->second;
    }
    Command command{*program, {url.text()}, clean_environment()};
    command.separate_stderr = true;
    command.timeout = kDetectTime;
    std::string answer(trim(runner_.run_checked(command)));
    detected_[url.origin()] = answer;
    return answer.empty() ? std::nullopt : std::optional(answer);
}

std::optional<std::string> AptProxies::find(const Url& url) const {
    if (url.scheme() != "http" && url.scheme() != "https") {
        return "";
    }
    auto found = setting(url.scheme(), "proxy::" + url.host());
    if (!found) {
        found = detect(url);
    }
    if (!found) {
        found = setting(url.scheme(), "proxy");
    }
    return found == kDirect ? std::optional<std::string>("") : found;
}

HostProxies::HostProxies(const Environment& env, ProcessRunner& runner)
    : environment_(environment_proxies(env)), env_(env), runner_(runner) {}

const AptProxies& HostProxies::apt() const {
    std::call_once(once_, [this] {
        apt_ = std::make_unique<AptProxies>(load_proxy_settings(runner_, env_), runner_);
    });
    return *apt_;
}

std::string HostProxies::find(HttpPurpose purpose, const Url& url) const {
    if (purpose == HttpPurpose::apt_mirror) {
        if (auto found = apt().find(url)) {
            return std::move(*found);
        }
    }
    return environment_.for_scheme(url.scheme());
}

} // namespace kiln
