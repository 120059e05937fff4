// SPDX-License-Identifier: MIT
//
// What package scripts and programs leave behind that differs from bake to bake or tells of the
// machine: one table of paths, applied after every stage that ran something of the tree.
#pragma once

#include "base/tree_root.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace kiln {

/// What to do with a path that matches.
enum class LeftoverAction {
    remove, ///< the path and all below it
    empty,  ///< a file keeps its name, owner and mode but no content
};

struct Leftover {
    /// Relative path; a "*" in the last component stands for any characters.
    std::string_view pattern;
    LeftoverAction action;
    std::string_view reason;
};

/// The table, in no particular order.
[[nodiscard]] std::span<const Leftover> leftovers();

/// Applies the table to a mounted tree; also sets password days in shadow back to the epoch's and
/// removes log files that no package ships. Touches nothing that does not match.
void clean_leftovers(const TreeRoot& tree, std::int64_t epoch);

} // namespace kiln
