// SPDX-License-Identifier: MIT
//
// The program of sandbox/sandbox_init.cpp, carried inside of kiln.
#pragma once

#include "base/io/file.hpp"

namespace kiln {

/// A descriptor of an anonymous file with the program, for execveat(2). Made once for all
/// sandboxes; closed in programs that are started.
[[nodiscard]] int sandbox_init_descriptor();

} // namespace kiln
