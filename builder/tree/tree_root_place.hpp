// SPDX-License-Identifier: MIT
//
// What the two halves of TreeRoot share: looking (tree_root.cpp) and changing
// (tree_root_change.cpp). Nobody else includes it.
#pragma once

#include "base/error.hpp"
#include "base/io/directory.hpp"
#include "tree/tree_root.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace kiln {

/// A name in an open directory. "." represents the directory itself.
struct TreeRoot::Place {
    UniqueFd directory;
    std::string name;

    /// lstat(2), with owner ids of this process's side.
    [[nodiscard]] std::optional<struct stat> look() const;
};

namespace tree_root {

/// "'/etc/passwd' of the tree", for messages.
[[nodiscard]] std::string of_tree(std::string_view path);

} // namespace tree_root

} // namespace kiln
