// SPDX-License-Identifier: MIT
#include "base/io/file.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"

#include <fmt/format.h>

#include <array>
#include <ostream>

namespace kiln {

namespace {

constexpr auto kExamples = std::to_array<Example>({
    {"kiln man check | man -l -", "show the manual page of a command"},
    {"kiln man --out share/man/man1", "write all pages into a directory"},
});

constexpr auto kOptions = std::to_array<OptionSpec>({
    {.name = "--out",
     .value = "DIR",
     .doc = "write every page into this directory",
     .completes = Completes::directory},
});

constexpr auto kPositionals = std::to_array<PositionalSpec>({
    {.name = "COMMAND",
     .doc = "command (default: kiln itself)",
     .count = Count::any,
     .completes = Completes::command},
});

void write_pages(const fs::path& directory) {
    fs::create_directories(directory);
    write_file_atomically(directory / "kiln.1", overview_page());
    for (const CommandSpec* command : all_commands()) {
        if (!command->hidden) {
            write_file_atomically(directory / page_name(*command), page_of(*command));
        }
    }
}

ExitCode run(const Arguments& arguments, Context& context) {
    if (const auto directory = arguments.value("--out")) {
        write_pages(*directory);
        return ExitCode::ok;
    }
    const std::vector<std::string>& words = arguments.positionals("COMMAND");
    if (words.empty()) {
        context.io.out << overview_page();
        return ExitCode::ok;
    }
    const std::string name = join(words, " ");
    const CommandSpec* command = find_command(name);
    if (command == nullptr) {
        throw UsageError(fmt::format("unknown command '{}'", name))
            .with_hint(did_you_mean(name, command_words()));
    }
    context.io.out << page_of(*command);
    return ExitCode::ok;
}

} // namespace

const CommandSpec kManCommand{
    .name = "man",
    .summary = "print manual pages",
    .description = "Prints a manual page in roff format, or writes all pages to a directory.",
    .examples = kExamples,
    .options = kOptions,
    .positionals = kPositionals,
    .run = run,
    .hidden = true};

} // namespace kiln
