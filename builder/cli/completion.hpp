// SPDX-License-Identifier: MIT
//
// Completion scripts for shells, made from the tables of the commands. They need nothing of kiln at
// run time.
#pragma once

#include <string>

namespace kiln {

[[nodiscard]] std::string bash_completion();
[[nodiscard]] std::string zsh_completion();
[[nodiscard]] std::string fish_completion();

} // namespace kiln
