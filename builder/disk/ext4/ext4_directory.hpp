// SPDX-License-Identifier: MIT
//
// The blocks of ext4 directories: one linear block where everything fits, else a hash tree (htree)
// as the kernel's dir_index makes it, built bottom up from sorted hashes.
#pragma once

#include "disk/ext4/ext4_inode.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace kiln::ext4 {

struct DirectoryEntry {
    std::string_view name;
    std::uint32_t inode = 0;
    FileType type = FileType::regular;
};

struct DirectoryParams {
    std::uint32_t self = 0;
    std::uint32_t parent = 0;
    std::array<std::uint8_t, 16> hash_seed{};
    /// Empty blocks are added up to this number (lost+found keeps some for e2fsck).
    std::size_t least_blocks = 1;
};

struct DirectoryBlocks {
    std::vector<std::byte> bytes; ///< a multiple of the block size
    bool indexed = false;         ///< an htree: the inode needs EXT2_INDEX_FL

    [[nodiscard]] std::uint64_t blocks() const noexcept { return bytes.size() / kBlockSize; }
};

/// One directory; `entries` come without "." and "..", sorted by name.
struct DirectoryPlan {
    DirectoryParams params;
    std::vector<DirectoryEntry> entries;
};

/// Throws Error when there are too many names for a tree of two levels.
[[nodiscard]] DirectoryBlocks
build_directory(const DirectoryPlan& plan, const Checksums& checksums);

/// How many blocks build_directory() will make.
[[nodiscard]] std::uint64_t directory_blocks(const DirectoryPlan& plan);

} // namespace kiln::ext4
