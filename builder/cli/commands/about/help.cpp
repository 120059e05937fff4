// SPDX-License-Identifier: MIT
#include "cli/help.hpp"

#include "base/text.hpp"
#include "cli/commands.hpp"

#include <fmt/format.h>

#include <array>
#include <ostream>

namespace kiln {

namespace {

constexpr auto kExamples = std::to_array<Example>({
    {"kiln help", "list the commands"},
    {"kiln help check", "show description, examples and options of a command"},
});

constexpr auto kPositionals = std::to_array<PositionalSpec>({
    {.name = "COMMAND",
     .doc = "name of a command",
     .count = Count::any,
     .completes = Completes::command},
});

std::string help_of_group(std::string_view word, int width) {
    std::string out;
    for (const std::string_view second : words_of_group(word)) {
        const CommandSpec* command = find_command(fmt::format("{} {}", word, second));
        KILN_CHECK(command != nullptr);
        out += fmt::format("{}{}", out.empty() ? "" : "\n\n", help_of(*command, width));
    }
    return out;
}

ExitCode run(const Arguments& arguments, Context& context) {
    const std::vector<std::string>& words = arguments.positionals("COMMAND");
    if (words.empty()) {
        context.io.out << overview(context.io.width);
        return ExitCode::ok;
    }
    const std::string name = join(words, " ");
    if (const CommandSpec* command = find_command(name)) {
        context.io.out << help_of(*command, context.io.width);
        return ExitCode::ok;
    }
    const std::string group = help_of_group(name, context.io.width);
    if (group.empty()) {
        throw UsageError(fmt::format("unknown command '{}'", name))
            .with_hint(did_you_mean(name, command_words()))
            .with_hint("run 'kiln help' for a list of commands");
    }
    context.io.out << group;
    return ExitCode::ok;
}

} // namespace

const CommandSpec kHelpCommand{
    .name = "help",
    .summary = "show help for a command",
    .description =
        "Without COMMAND, lists all commands. 'kiln COMMAND --help' prints the same text.",
    .examples = kExamples,
    .positionals = kPositionals,
    .run = run};

} // namespace kiln
