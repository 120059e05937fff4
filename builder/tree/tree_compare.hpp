// SPDX-License-Identifier: MIT
//
// Two trees side by side, as lines for people.
#pragma once

#include "tree/file_tree.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace kiln {

struct TreeComparison {
    std::size_t count = 0;          ///< paths that differ
    std::vector<std::string> lines; ///< one per differing path, the first `limit` of them

    [[nodiscard]] bool equal() const noexcept { return count == 0; }
};

/// Compares type, mode, owner, size, content, link target, hard link, device, mtime and extended
/// attributes of every path. Not compared: the mode of symbolic links, which Linux does not use;
/// properties of hard links beyond which path they share; an empty "lost+found", which every ext4
/// file system has.
[[nodiscard]] TreeComparison
compare_trees(const FileTree& expected, const FileTree& actual, std::size_t limit = 20);

} // namespace kiln
