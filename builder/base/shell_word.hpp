// SPDX-License-Identifier: MIT
//
// Words of commands for sh: what scripts are given, and commands that messages suggest.
#pragma once

#include <string>
#include <string_view>

namespace kiln {

/// The word in single quotes.
[[nodiscard]] std::string shell_quote(std::string_view word);

/// The word as it is where sh takes it as one, else in single quotes.
[[nodiscard]] std::string shell_word(std::string_view word);

} // namespace kiln
