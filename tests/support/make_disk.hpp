// SPDX-License-Identifier: MIT
//
// Disk images made by ordinary tools (sfdisk, mke2fs, debugfs), without kiln's writers and without
// root: what readers are tested with.
#pragma once

#include "base/io/file.hpp"
#include "base/process/process.hpp"
#include "tree/file_tree.hpp"

#include <string>

namespace kiln::test {

struct ToolDisk {
    fs::path path;                 ///< raw
    std::uint64_t root_offset = 0; ///< bytes
};

/// A GPT disk with a BIOS boot partition and an ext4 root labelled "root" that holds `tree`:
/// files with data, directories, symbolic links, hard links; owners, modes, times and attributes
/// as stated. Works in `folder`. Throws ProcessError.
ToolDisk make_tool_disk(const FileTree& tree, const fs::path& folder, ProcessRunner& runner);

/// Replaces the first occurrence of `from` in a file by `to`, of the same length.
void patch_file(const fs::path& path, std::string_view from, std::string_view to);

} // namespace kiln::test
