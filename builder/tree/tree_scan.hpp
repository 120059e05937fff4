// SPDX-License-Identifier: MIT
//
// Reads a directory of the build host into a FileTree: a stage's upper directory of an overlay
// mount, or any other folder. Inode numbers, access times and the like never get further than here.
#pragma once

#include "tree/file_tree.hpp"
#include "tree/tree_ids.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

struct stat;

namespace kiln {

struct ScanOptions {
    unsigned jobs = 1;
    /// How owners on disk become the tree's.
    TreeIds ids = {};
    /// Understand the marks of overlay mounts (whiteout devices, opaque directories).
    bool overlay_marks = false;
    /// The time that a path gets, in seconds; given the path and what the file system says.
    std::function<std::int64_t(const std::string& path, FileType type, std::int64_t mtime)> mtime;
};

/// Of all files of one tree together, whether they are filled or have holes.
constexpr std::uint64_t kLargestTree = std::uint64_t{256} << 30U;

/// Scans `root` recursively, hashing every regular file. Sockets are left out. Entries' sources
/// point into `root`. Throws SystemError, and an
/// Error when the tree is larger than `kLargestTree`.
[[nodiscard]] FileTree scan_tree(const std::filesystem::path& root, const ScanOptions& options);

/// Sets the modification time of every path on disk to what `tree` says (so that later stages that
/// read or copy times see the stated ones).
void apply_times(const std::filesystem::path& root, const FileTree& tree);

} // namespace kiln
