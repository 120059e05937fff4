// SPDX-License-Identifier: MIT
//
// Writes a file tree as an ext4 file system, without mounting anything: structures and hashes are
// libext2fs's, every field and every place is set from data. Judged by e2fsck in the tests.
#pragma once

#include "tree/file_tree.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace kiln {

struct Ext4Options {
    std::array<std::uint8_t, 16> uuid{};
    std::array<std::uint8_t, 16> hash_seed{};
    std::string label;            ///< at most 16 bytes
    std::int64_t epoch = 0;       ///< times of the file system itself; at least 0
    std::uint64_t free_bytes = 0; ///< room to leave, see ext4_size()
};

/// Where to write: `size` bytes from `offset` on of a file whose range there reads as zeros.
struct Ext4Target {
    int fd = -1;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::filesystem::path name; ///< for messages
};

/// Called with the number of content bytes that were done since the last call.
using ByteProgress = std::function<void(std::uint64_t bytes)>;

/// The smallest size, in whole MiB, that surely holds the tree and leaves `free_bytes` free. It
/// does not look into files, so that holes are counted as if they were data.
[[nodiscard]] std::uint64_t ext4_size(const FileTree& tree, const Ext4Options& options);

/// Blocks are laid out by (stage, path), so that what a late stage changes moves nothing of what
/// earlier ones brought. Blocks of zeros become holes. Throws Error when the tree does not fit,
/// cannot be expressed, or when a file is not as the tree says.
void write_ext4(
    const FileTree& tree,
    const Ext4Options& options,
    const Ext4Target& target,
    const ByteProgress& progress);

} // namespace kiln
