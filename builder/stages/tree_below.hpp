// SPDX-License-Identifier: MIT
//
// What the tree held before a stage: tells what the stage's programs made from what it found.
#pragma once

#include "stages/stage_context.hpp"

#include <sys/stat.h>

#include <string>

namespace kiln {

/// The path's state before the stage; null when it was not there. `path` must be there now.
[[nodiscard]] const Entry* entry_below(const StageContext& context, const std::string& path);

/// Whether the tree had this file before the stage, as it is now; `info` is its lstat(2). False for
/// directories. What a program has written has its own time, which no stored tree has (those have
/// whole seconds).
[[nodiscard]] bool
was_in_tree_below(const StageContext& context, const std::string& path, const struct stat& info);

} // namespace kiln
