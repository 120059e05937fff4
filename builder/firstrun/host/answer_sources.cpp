// SPDX-License-Identifier: MIT
#include "firstrun/host/answer_sources.hpp"

#include "base/text.hpp"
#include "firstrun/answers/answers_yaml.hpp"
#include "firstrun/host/config_drive.hpp"
#include "firstrun/host/locations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace kiln::firstrun {

namespace {

constexpr std::string_view kPrefix = "PAUSE_";
constexpr std::string_view kFileSuffix = "_FILE";

/// Not answers: what PAUSE's own programs read.
constexpr std::array<std::string_view, 9> kOthers{
    "PAUSE_REPO",
    "PAUSE_ROOT",
    "PAUSE_HOME",
    "PAUSE_WEB_DEBUG",
    "PAUSE_LOG_STDERR",
    "PAUSE_LOG_TO_SELF",
    "PAUSE_LOG_NOSYSLOG",
    "PAUSE_PAUSED_LOG_FILE",
    "PAUSE_INDEX_DURING_CLOSURE",
};

/// Kubernetes gives every container in reach of a service "pause" such variables.
bool is_service_variable(std::string_view name) {
    return name == "PAUSE_PORT" || name.starts_with("PAUSE_PORT_") ||
           name.starts_with("PAUSE_SERVICE_") || name.find("_SERVICE_HOST") != name.npos ||
           name.find("_SERVICE_PORT") != name.npos || name.find("_TCP") != name.npos;
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    });
    return out;
}

} // namespace

AnswerSource from_environment(const Host& host, const Environment& env, Faults& faults) {
    AnswerSource out{"environment", {}};
    for (const auto& [variable, value] : env) {
        if (!variable.starts_with(kPrefix) ||
            std::find(kOthers.begin(), kOthers.end(), variable) != kOthers.end() ||
            is_service_variable(variable)) {
            continue;
        }
        const std::string where = fmt::format("environment {}", variable);
        const std::string name = lower(std::string_view(variable).substr(kPrefix.size()));
        // certificate_file is a separate key.
        if (find_spec(name) != nullptr || !variable.ends_with(kFileSuffix)) {
            // An empty variable is how compose files say "not set".
            if (!value.empty()) {
                out.answers.push_back({name, value, where});
            }
            continue;
        }
        if (value.empty()) {
            continue;
        }
        if (auto text = host.read(value)) {
            out.answers.push_back(
                {name.substr(0, name.size() - kFileSuffix.size()),
                 std::move(*text),
                 fmt::format("{} ({})", where, value)});
        } else {
            faults.add(where, fmt::format("file '{}' not found", value));
        }
    }
    return out;
}

namespace {

/// Files in a directory, one a key, with a prefix before the key's name.
AnswerSource from_directory(
    const Host& host, const std::string& name, const fs::path& folder, std::string_view prefix) {
    AnswerSource out{name, {}};
    for (const std::string& file : host.list(folder)) {
        if (!file.starts_with(prefix)) {
            continue;
        }
        if (auto text = host.read(folder / file)) {
            out.answers.push_back(
                {lower(std::string_view(file).substr(prefix.size())),
                 std::move(*text),
                 (folder / file).string()});
        }
    }
    return out;
}

AnswerSource from_file(
    const Host& host, const std::string& name, const char* path, OtherKeys others, Faults& faults) {
    AnswerSource out{name, {}};
    if (const auto text = host.read(path)) {
        out.answers = parse_answers(path, *text, others, faults);
    }
    return out;
}

AnswerSource from_user_data(const Host& host, Faults& faults) {
    AnswerSource out{"cloud-init user-data", {}};
    const char* path = "/var/lib/cloud/instance/user-data.txt";
    if (const auto text = host.read(path); text && is_cloud_config(*text)) {
        out.answers = parse_answers(path, *text, OtherKeys::ignored, faults);
    }
    return out;
}

} // namespace

std::vector<AnswerSource>
read_sources(Host& host, const Environment& env, Mode mode, Faults& faults) {
    std::vector<AnswerSource> out;
    out.push_back(from_environment(host, env, faults));
    out.push_back(from_directory(host, "secrets", "/run/secrets", "pause_"));
    if (const auto folder = env.find("CREDENTIALS_DIRECTORY"); folder != env.end()) {
        out.push_back(from_directory(host, "systemd credentials", folder->second, "pause."));
    }
    if (mode == Mode::machine) {
        out.push_back(from_config_drive(host, faults));
        out.push_back(from_user_data(host, faults));
    }
    out.push_back(from_file(
        host, "saved answers", locations::kRememberedAnswers, OtherKeys::refused, faults));
    out.push_back(from_file(host, "image", locations::kBakedAnswers, OtherKeys::refused, faults));
    out.back().is_own = true;
    return out;
}

Answers gather_answers(Host& host, const Environment& env, Mode mode) {
    Faults faults;
    const std::vector<AnswerSource> sources = read_sources(host, env, mode, faults);
    Answers answers = Answers::choose(sources, mode, faults);
    faults.throw_if_any(); // a refused answer would look like a missing one below
    check_together(answers, mode, faults);
    faults.throw_if_any();
    return answers;
}

} // namespace kiln::firstrun
