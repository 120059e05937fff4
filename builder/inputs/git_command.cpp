// SPDX-License-Identifier: MIT
#include "inputs/git_command.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <array>

namespace kiln {

namespace {

/// On every command line, where nothing else can override it.
constexpr std::array kSettings{
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null", // or those below ~/.config
    "core.excludesFile=/dev/null",
    "credential.helper=",
    "fetch.recurseSubmodules=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "http.followRedirects=initial",
    "http.lowSpeedLimit=1024", // bytes per second, as kiln's own downloads
    "http.lowSpeedTime=60",
    "protocol.ext.allow=never",
    "submodule.recurse=false"};

} // namespace

Environment git_environment() {
    Environment env = clean_environment();
    // Neither the user's nor the host's settings, and no questions on a terminal.
    env["GIT_CONFIG_NOSYSTEM"] = "1";
    env["GIT_CONFIG_GLOBAL"] = "/dev/null";
    env["GIT_ATTR_NOSYSTEM"] = "1";
    env["GIT_TERMINAL_PROMPT"] = "0";
    // An object that a repository says somebody else has would be fetched by the program that its
    // settings name.
    env["GIT_NO_LAZY_FETCH"] = "1";
    env["GIT_ALLOW_PROTOCOL"] = "none";
    return env;
}

Command git_command(const fs::path& folder, const std::vector<std::string>& args) {
    Command command{.program = "git", .args = {"-C", folder.string()}, .env = git_environment()};
    for (const char* setting : kSettings) {
        command.args.insert(command.args.end(), {"-c", setting});
    }
    command.args.insert(command.args.end(), args.begin(), args.end());
    return command;
}

std::vector<std::string> submodules_in(std::string_view listing) {
    constexpr std::string_view kMode = "160000"; // gitmodules(5) calls it a gitlink
    std::vector<std::string> out;
    for (const std::string& line : split(listing, '\0')) {
        const std::size_t tab = line.find('\t');
        if (line.empty()) {
            continue;
        }
        if (tab == std::string::npos || line.find_first_not_of("01234567") != kMode.size()) {
            throw Error(fmt::format("unexpected output of 'git ls-tree': '{}'", excerpt(line)));
        }
        if (line.starts_with(kMode)) {
            out.push_back(line.substr(tab + 1));
        }
    }
    return out;
}

} // namespace kiln
