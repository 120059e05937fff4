// SPDX-License-Identifier: MIT
//
// A tar stream of a whole file system as a FileTree: contents digested as they pass, hard links put
// in tree order.
#pragma once

#include "tree/file_tree.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace kiln {

/// Whether the content of a file of `size` bytes is kept in Entry::data.
using KeepContent = std::function<bool(std::string_view path, std::uint64_t size)>;

/// Keeps nothing.
[[nodiscard]] inline bool keep_nothing(std::string_view, std::uint64_t) {
    return false;
}

/// Reads up to the archive's end. `name` is what messages call the stream. Throws Error on a
/// damaged stream.
[[nodiscard]] FileTree
read_tar_tree(Source& source, const std::string& name, const KeepContent& keep);

/// Makes the first path in tree order of each group of hard links the one that holds the content.
/// Link targets may lie anywhere in the tree. Throws Error when one is missing.
void normalize_hardlinks(FileTree& tree);

} // namespace kiln
