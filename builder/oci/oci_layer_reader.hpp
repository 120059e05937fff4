// SPDX-License-Identifier: MIT
//
// Reads the tar of one image layer into the change of a tree that it represents. The counterpart of
// oci_layer.hpp, but for layers of any origin.
#pragma once

#include "archive/archive_limits.hpp"
#include "base/io/file.hpp"
#include "tree/file_tree.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace kiln {

/// Which contents of files are kept, and where.
struct KeptContents {
    /// Gets the content of a file under the hex form of its digest, and its entry then has a
    /// source. Empty: contents are digested and forgotten.
    fs::path folder = {};
    /// Whether a file of this size is kept; without it, every one is.
    std::function<bool(std::string_view path, std::uint64_t size)> wants = {};
};

/// Reads a plain tar to its end. `below` is the tree that the layers before it make; directories
/// that the layer takes for granted and nobody made get mode 0755 and owner root, as engines do,
/// and count as members. Layers of one image share a budget; null: its own. Throws Error for
/// hard links to nothing, for members whose parent is not a directory, and beyond the limits.
[[nodiscard]] FileTree read_layer(
    Source& tar,
    const std::string& name,
    const FileTree& below,
    const KeptContents& kept,
    ArchiveBudget* budget = nullptr);

/// Makes the first member in tree order the holder of each hard link group, as FileTree wants it.
void order_links(FileTree& tree);

} // namespace kiln
