// SPDX-License-Identifier: MIT
//
// Files of package scripts and programs that differ on every build or identify the build host: one
// table of paths, applied after every stage that ran programs of the tree, to what that stage
// created. docs/reproducibility.md shows the table.
#pragma once

#include "stages/stage_context.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace kiln {

/// What to do with a path that matches.
enum class CleanupAction {
    remove, ///< the path and all below it
    empty,  ///< a file keeps its name, owner and mode but no content
};

struct CleanupRule {
    /// Relative path; the last component may be a pattern with "*" (glob(7)).
    std::string_view pattern;
    CleanupAction action;
    std::string_view reason;
};

/// The table, in no particular order.
[[nodiscard]] std::span<const CleanupRule> cleanup_rules();

/// Applies the table to what the stage made in the mounted tree; also sets password days in shadow
/// back to the epoch's, removes log files, rewrites files with times inside
/// (stages/clean/stable_files.hpp), and lets a machine make the ssh host keys that it has removed.
/// What was in the tree before the stage and was not changed by it stays: a recipe that places such
/// a file means it.
void clean_tree(const StageContext& context);

} // namespace kiln
