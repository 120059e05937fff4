// SPDX-License-Identifier: MIT
//
// Help texts and manual pages, made from the tables of the commands.
#pragma once

#include "cli/command.hpp"

namespace kiln {

/// `kiln --help`: what kiln is, how to begin, and the list of commands.
[[nodiscard]] std::string overview(int width);
/// `kiln COMMAND --help`, examples first.
[[nodiscard]] std::string help_of(const CommandSpec& command, int width);
/// "kiln check [OPTION...] RECIPE"
[[nodiscard]] std::string usage_of(const CommandSpec& command);

/// The page kiln(1), in the roff of man(7).
[[nodiscard]] std::string overview_page();
/// The page kiln-COMMAND(1).
[[nodiscard]] std::string page_of(const CommandSpec& command);
/// "kiln-publish-registry.1"
[[nodiscard]] std::string page_name(const CommandSpec& command);

struct ExitCodeDoc {
    ExitCode code;
    std::string_view meaning;
};

[[nodiscard]] std::span<const ExitCodeDoc> exit_code_docs();
/// The paragraphs of a text, each on one line: blank lines separate them, other line breaks count
/// as spaces.
[[nodiscard]] std::vector<std::string> paragraphs(std::string_view text);
/// "-h, --help" or "--mirror URL"
[[nodiscard]] std::string option_heading(const OptionSpec& option);
/// Doc, choices and whether it may be repeated.
[[nodiscard]] std::string option_text(const OptionSpec& option);

/// The first examples that a new user should see.
[[nodiscard]] std::span<const Example> first_examples();

} // namespace kiln
