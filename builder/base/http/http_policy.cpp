// SPDX-License-Identifier: MIT
#include "base/http/http_policy.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace kiln {

namespace {

/// A row says which schemes a request may begin with.
struct Rule {
    HttpPurpose purpose;
    bool http;          ///< to any host
    bool http_loopback; ///< to this machine
    bool file;
    bool loopback_only;
};

constexpr std::array kRules{
    Rule{HttpPurpose::web, true, true, false, false},
    Rule{HttpPurpose::user_url, true, true, true, false},
    Rule{HttpPurpose::apt_mirror, true, true, true, false},
    Rule{HttpPurpose::registry, false, true, false, false},
    Rule{HttpPurpose::api, false, true, false, false},
    Rule{HttpPurpose::local, false, true, false, true},
};

const Rule& rule_of(HttpPurpose purpose) {
    return *std::find_if(
        kRules.begin(), kRules.end(), [&](const Rule& each) { return each.purpose == purpose; });
}

/// What forbids the URL; empty when nothing does.
std::string_view objection(const Rule& rule, const Url& url) {
    if (url.scheme() == "file") {
        return rule.file ? "" : "file: URLs are not allowed here";
    }
    if (rule.loopback_only && !url.is_loopback()) {
        return "only loopback addresses are allowed here";
    }
    if (url.scheme() == "https" || (url.scheme() == "http" && rule.http) ||
        (url.scheme() == "http" && rule.http_loopback && url.is_loopback())) {
        return "";
    }
    return url.scheme() == "http" ? "http: is only allowed for loopback addresses; use https:"
                                  : "this protocol is not supported";
}

TransferError refused_hop(const Url& from, std::string_view to, std::string_view why) {
    return {
        fmt::format("'{}' redirects to '{}': {}", redact_url(from.text()), redact_url(to), why),
        false,
        ExitCode::remote_refused};
}

} // namespace

void require_allowed(HttpPurpose purpose, const Url& url) {
    const std::string_view why = objection(rule_of(purpose), url);
    if (!why.empty()) {
        throw TransferError(
            fmt::format("cannot fetch '{}': {}", redact_url(url.text()), why), false);
    }
}

void require_allowed_hop(HttpPurpose purpose, const Url& from, const Url& to) {
    Rule rule = rule_of(purpose);
    rule.file = false;
    if (const std::string_view why = objection(rule, to); !why.empty()) {
        throw refused_hop(from, to.text(), why);
    }
    if (from.scheme() == "https" && to.scheme() == "http") {
        throw refused_hop(from, to.text(), "redirect from https to http is not allowed");
    }
    // Services that listen on loopback trust whoever reaches them.
    if (purpose == HttpPurpose::registry && to.may_be_loopback() && !from.is_loopback()) {
        throw refused_hop(
            from, to.text(), "redirect from a remote registry to this machine is not allowed");
    }
}

Url follow_reference(HttpPurpose purpose, const Url& from, std::string_view reference) {
    auto to = from.resolve(reference);
    if (!to) {
        throw refused_hop(from, reference, "this is not a valid URL");
    }
    require_allowed_hop(purpose, from, *to);
    if (from.has_user() && !to->has_user() && from.origin() == to->origin()) {
        return to->with_user_of(from);
    }
    return std::move(*to);
}

std::vector<HttpHeader>
headers_after_hop(const std::vector<HttpHeader>& headers, const Url& from, const Url& to) {
    if (from.origin() == to.origin()) {
        return headers;
    }
    // What may stay is listed, not what must go: the next API brings another header with a key.
    std::vector<HttpHeader> out;
    std::copy_if(
        headers.begin(), headers.end(), std::back_inserter(out), [](const HttpHeader& each) {
            return each.name == "Accept";
        });
    return out;
}

std::chrono::milliseconds time_limit(const HttpOptions& options, std::uint64_t bytes) {
    if (bytes == 0) {
        return options.time_without_size;
    }
    // libcurl counts milliseconds in a long; a month is for ever.
    constexpr std::uint64_t kMostSeconds = std::uint64_t{31} * 24 * 3600;
    const std::uint64_t seconds =
        std::min(bytes / std::max<std::uint64_t>(options.slowest_rate, 1), kMostSeconds);
    return options.time_beside_size + std::chrono::seconds(seconds);
}

} // namespace kiln
