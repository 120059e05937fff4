// SPDX-License-Identifier: MIT
//
// What changes one tree into another, as a delta of the kind that FileTree::apply() takes.
#pragma once

#include "tree/file_tree.hpp"

namespace kiln {

/// Entries of `after` that are new or differ, and whiteouts for what is gone (the topmost path
/// only). Holds no opaque directories; before.apply(delta) gives `after`.
[[nodiscard]] FileTree diff_trees(const FileTree& before, const FileTree& after);

} // namespace kiln
