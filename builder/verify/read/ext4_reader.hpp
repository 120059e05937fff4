// SPDX-License-Identifier: MIT
//
// Reads every path of an ext4 file system through libext2fs, without a kernel and without mounting:
// the reader of e2fsprogs, which shares no code with kiln's writer of file contents and places.
#pragma once

#include "tree/file_tree.hpp"

#include <cstdint>
#include <filesystem>

namespace kiln {

/// The file system that begins at byte `offset` of `disk` (raw), as a tree: owners, modes, times,
/// extended attributes, hard links, digests of contents. Contents are read on `jobs` threads.
/// Throws Error (exit code 4) with the reason of libext2fs when a structure cannot be read, a
/// checksum of the metadata is wrong, or a time has a part below a second.
[[nodiscard]] FileTree
read_ext4_tree(const std::filesystem::path& disk, std::uint64_t offset, unsigned jobs);

} // namespace kiln
