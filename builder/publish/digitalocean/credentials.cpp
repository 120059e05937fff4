// SPDX-License-Identifier: MIT
#include "publish/digitalocean/credentials.hpp"

#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace kiln {

namespace {

constexpr std::uint64_t kLargestFile = std::uint64_t{64} << 10U;
constexpr std::chrono::seconds kCommandTimeout{60};

std::string first_line(std::string_view text) {
    return std::string(trim(text.substr(0, text.find_first_of("\r\n"))));
}

std::string token_of_file(const std::string& file) {
    std::string token = first_line(read_text_file(file, kLargestFile));
    if (token.empty()) {
        throw Error(fmt::format("'{}' (DIGITALOCEAN_TOKEN_FILE) holds no token", file));
    }
    return token;
}

std::string
token_of_command(const std::string& command, const Environment& env, ProcessRunner& processes) {
    std::vector<std::string> words = split(command, ' ');
    std::erase(words, "");
    const auto failed = [&](std::string_view why) {
        // Its arguments may hold anything.
        return Error(fmt::format(
            "the command '{} ...' (DIGITALOCEAN_TOKEN_COMMAND) {}",
            words.empty() ? std::string() : excerpt(words.front()),
            why));
    };
    if (words.empty()) {
        throw failed("is empty");
    }
    const bool is_path = words.front().find('/') != std::string::npos;
    const fs::path program = is_path ? fs::path(words.front()) : find_program(words.front(), env);
    if (program.empty()) {
        throw failed("is not installed");
    }
    const ProcessResult result = processes.run(
        {.program = program.string(),
         .args = {words.begin() + 1, words.end()},
         .env = env,
         .separate_stderr = true,
         .timeout = kCommandTimeout,
         .output_limit = kLargestFile});
    if (!result.ok()) {
        throw failed(fmt::format(
            "failed: {}",
            result.stopped.empty() ? describe_exit(result.exit_status) : result.stopped));
    }
    std::string token = first_line(result.output);
    if (token.empty()) {
        throw failed("printed no token");
    }
    return token;
}

} // namespace

std::string find_digitalocean_token(const Environment& env, ProcessRunner& processes) {
    for (const char* name : {"DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_TOKEN"}) {
        if (const std::string value = variable(env, name); !value.empty()) {
            return value;
        }
    }
    if (const std::string file = variable(env, "DIGITALOCEAN_TOKEN_FILE"); !file.empty()) {
        return token_of_file(file);
    }
    if (const std::string command = variable(env, "DIGITALOCEAN_TOKEN_COMMAND"); !command.empty()) {
        return token_of_command(command, env, processes);
    }
    throw UsageError("no token for DigitalOcean's API")
        .with_hint("set DIGITALOCEAN_ACCESS_TOKEN, DIGITALOCEAN_TOKEN_FILE or "
                   "DIGITALOCEAN_TOKEN_COMMAND; tokens are made in the control panel under API");
}

} // namespace kiln
