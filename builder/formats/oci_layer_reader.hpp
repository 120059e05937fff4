// SPDX-License-Identifier: MIT
//
// Reads the tar of one image layer into the change of a tree that it stands for. The counterpart of
// oci_layer.hpp, but for layers of any origin.
#pragma once

#include "base/file.hpp"
#include "formats/file_tree.hpp"

#include <string>

namespace kiln {

/// Reads a plain tar to its end. `below` is the tree that the layers before it make; directories
/// that the layer takes for granted and nobody made get mode 0755 and owner root, as engines do.
/// `keep_contents`: see OciReadOptions. Throws Error for hard links to nothing and for members
/// whose parent is no directory.
[[nodiscard]] FileTree read_layer(
    Source& tar, const std::string& name, const FileTree& below, const fs::path& keep_contents);

/// Makes the first member in tree order the holder of each hard link group, as FileTree wants it.
void order_links(FileTree& tree);

} // namespace kiln
