// SPDX-License-Identifier: MIT
#include "run/scripts.hpp"

#include "base/error.hpp"
#include "base/shell_word.hpp"
#include "base/text.hpp"
#include "run/ssh.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <mutex>

namespace kiln {

namespace {

constexpr std::string_view kInstanceUsage =
    R"sh(case ${1-} in
stop | kill | start | ready | restart | log) [ $# = 1 ] ;;
renew) [ $# -le 2 ] ;;
*) false ;;
esac || {
    echo "usage: instance stop | kill | start | ready | restart | renew [IMAGE] | log" >&2
    exit 2
}
[ $# -lt 2 ] || set -- "$1" "$(realpath -e -- "$2")"
)sh";

void write_program(const fs::path& path, const std::string& text) {
    write_file(path, "#!/bin/sh\nset -eu\n" + text, 0755);
}

} // namespace

std::string variable_name(std::string_view name) {
    std::string out;
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        out += std::isalnum(byte) != 0 ? static_cast<char>(std::toupper(byte)) : '_';
    }
    return out;
}

Environment script_environment(const ScriptFacts& facts, const Instance& instance) {
    Environment env = facts.engine;
    for (const auto& [name, value] : facts.suite->variables) {
        env[variable_name(name)] = value;
    }
    for (const PublishedPort& port : facts.ports) {
        env["PORT_" + variable_name(port.name)] = std::to_string(port.host);
    }
    env["KIND"] = kind_name(instance.kind());
    env["HOST"] = "127.0.0.1";
    env["IMAGE"] = facts.image.string();
    env["MANIFEST"] = facts.manifest.string();
    env["SOURCE"] = "";
    env["KILN"] = facts.program.string();
    env["EMULATED"] = instance.is_emulated() ? "yes" : "no";
    return env;
}

Scripts::Scripts(
    fs::path folder,
    const ScriptFacts& facts,
    Instance& instance,
    ProcessRunner& runner,
    Control::Handler verbs)
    : folder_(std::move(folder)), instance_(instance), runner_(runner),
      env_(script_environment(facts, instance)) {
    fs::create_directories(folder_ / "bin");
    fs::create_directories(folder_ / "shared");
    env_["SHARED"] = (folder_ / "shared").string();
    env_["PATH"] = fmt::format("{}:{}", (folder_ / "bin").string(), env_["PATH"]);
    write_programs();
    verbs_ = std::make_unique<Control>(folder_, "instance", std::move(verbs));
    insides_ = std::make_unique<Control>(
        folder_, "inside", [this](std::string_view, const std::string& limit) -> ControlReply {
            const auto seconds = parse_unsigned(limit);
            const ProcessResult result = instance_.run_inside(
                read_text_file(folder_ / "inside.text"),
                read_text_file(folder_ / "inside.input"),
                std::chrono::seconds(seconds.value_or(1)));
            write_file(folder_ / "inside.output", result.output, 0600);
            write_file(folder_ / "inside.errors", result.errors, 0600);
            return {0, std::to_string(result.exit_status)};
        });
}

void Scripts::write_programs() {
    const fs::path bin = folder_ / "bin";
    write_program(
        bin / "instance",
        std::string(kInstanceUsage) + Control::lock_text(folder_, "instance") +
            Control::request_text(
                folder_, "instance", "$*", "if [ \"$status\" = 0 ]; then cat; else cat >&2; fi"));
    std::string inside =
        "[ $# -gt 0 ] || { echo 'usage: inside PROGRAM [ARGUMENT...]' >&2; exit 2; }\n";
    if (const std::string own = instance_.inside_script(); !own.empty()) {
        write_program(bin / "inside", inside + own + '\n');
        return;
    }
    const auto file = [&](std::string_view end) {
        return shell_quote((folder_ / fmt::format("inside.{}", end)).string());
    };
    inside += Control::lock_text(folder_, "inside");
    inside += quote_words_text();
    inside += fmt::format("cat >{}\nprintf %s \"$text\" >{}\n", file("input"), file("text"));
    inside += Control::request_text(
        folder_,
        "inside",
        "inside ${INSIDE_LIMIT:-60}",
        fmt::format(
            "[ \"$status\" = 0 ] || {{ cat >&2; exit \"$status\"; }}\n"
            "read -r status || true\ncat {}\ncat {} >&2",
            file("output"),
            file("errors")));
    write_program(bin / "inside", inside);
}

ScriptResult Scripts::run(std::string_view name, const std::string& text, Milliseconds timeout) {
    const TempDir scratch(folder_, name);
    const fs::path file = folder_ / fmt::format("{}.sh", scratch.path().filename().string());
    write_file(file, text, 0600);
    const auto limit = std::chrono::ceil<std::chrono::seconds>(timeout);
    Command command{"/bin/sh", {"-eu", file.string()}, env_, scratch.path()};
    command.timeout = limit;
    command.env["SCRATCH"] = scratch.path().string();
    command.env["INSIDE_LIMIT"] = std::to_string(limit.count());
    const auto start = std::chrono::steady_clock::now();
    const Finally forget([&] { remove_tree(file); });
    const ProcessResult result = runner_.run(command);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    return {result.exit_status, result.output, result.timed_out, took.count()};
}

} // namespace kiln
