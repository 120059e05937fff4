// SPDX-License-Identifier: MIT
//
// Questions before something is destroyed.
#pragma once

#include "cli/command.hpp"

#include <string>

namespace kiln {

inline constexpr OptionSpec kYesOption{.name = "--yes", .doc = "do not ask", .letter = 'y'};

/// True with --yes, or when a person at the terminal answers "y" or "yes". Throws UsageError when
/// there is no terminal to ask at.
[[nodiscard]] bool
confirm(const Arguments& arguments, Context& context, const std::string& question);

} // namespace kiln
