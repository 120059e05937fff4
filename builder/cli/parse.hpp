// SPDX-License-Identifier: MIT
//
// From words to a command and its arguments. CLI11 is seen by parse.cpp alone.
#pragma once

#include "cli/command.hpp"

namespace kiln {

struct ParsedLine {
    GlobalOptions global;
    const CommandSpec* command = nullptr; ///< null: none was named
    Arguments arguments;
};

/// Throws UsageError, with a hint when a word looks misspelt. With --help or --version, what is
/// missing is not asked for.
[[nodiscard]] ParsedLine parse_command_line(std::span<const std::string> words);

} // namespace kiln
