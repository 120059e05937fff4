// SPDX-License-Identifier: MIT
//
// Where things lie in the ext4 file systems that kiln writes: groups, tables, and the allocator
// that hands out data blocks in ascending order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kiln::ext4 {

constexpr std::uint32_t kBlockSize = 4096;
constexpr std::uint32_t kBlocksPerGroup = 8 * kBlockSize;
constexpr std::uint32_t kInodeSize = 256;
constexpr std::uint32_t kInodesPerBlock = kBlockSize / kInodeSize;
constexpr std::uint32_t kDescriptorSize = 64;
constexpr std::uint32_t kDescriptorsPerBlock = kBlockSize / kDescriptorSize;

constexpr std::uint32_t kRootInode = 2;
constexpr std::uint32_t kResizeInode = 7;
constexpr std::uint32_t kJournalInode = 8;
constexpr std::uint32_t kLostFoundInode = 11;
constexpr std::uint32_t kFirstFreeInode = 12;

/// Contiguous blocks.
struct Run {
    std::uint64_t start = 0;
    std::uint64_t count = 0;
};

[[nodiscard]] constexpr std::uint64_t divide_up(std::uint64_t value, std::uint64_t by) {
    return (value + by - 1) / by;
}

[[nodiscard]] constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t to) {
    return divide_up(value, to) * to;
}

/// Places of the metadata, a function of the size and of the number of inodes in use.
/// REPRO: tables lie at the same places whatever the number of groups is, so that a file system
/// that grows by some groups keeps its blocks where they were.
class Geometry {
  public:
    /// Throws Error when `bytes` cannot hold the metadata of a file system with so many inodes.
    Geometry(std::uint64_t bytes, std::uint64_t inodes_used);

    [[nodiscard]] std::uint64_t blocks() const noexcept { return blocks_; }

    [[nodiscard]] std::uint32_t groups() const noexcept { return groups_; }

    [[nodiscard]] std::uint32_t inodes_per_group() const noexcept { return inodes_per_group_; }

    [[nodiscard]] std::uint32_t inode_table_blocks() const noexcept {
        return inodes_per_group_ / kInodesPerBlock;
    }

    /// Blocks of group descriptors, and those kept free behind them for growth while mounted.
    [[nodiscard]] std::uint32_t descriptor_blocks() const noexcept { return descriptor_blocks_; }

    [[nodiscard]] std::uint32_t reserved_descriptor_blocks() const noexcept {
        return reserved_descriptor_blocks_;
    }

    [[nodiscard]] std::uint32_t log_groups_per_flex() const noexcept { return log_flex_; }

    [[nodiscard]] std::uint64_t journal_blocks() const noexcept;

    /// Groups 0, 1 and the powers of 3, 5 and 7 hold the superblock and the descriptors.
    [[nodiscard]] static bool has_super(std::uint32_t group);

    [[nodiscard]] std::uint64_t first_block(std::uint32_t group) const noexcept {
        return std::uint64_t{group} * kBlocksPerGroup;
    }

    [[nodiscard]] std::uint64_t end_block(std::uint32_t group) const noexcept;
    /// Superblock, descriptors and reserved descriptors at the front of a group, in blocks.
    [[nodiscard]] std::uint64_t super_blocks(std::uint32_t group) const noexcept;
    [[nodiscard]] std::uint64_t block_bitmap(std::uint32_t group) const noexcept;
    [[nodiscard]] std::uint64_t inode_bitmap(std::uint32_t group) const noexcept;
    [[nodiscard]] std::uint64_t inode_table(std::uint32_t group) const noexcept;
    /// The first block of the group that data may use; what is before is metadata, or kept free
    /// for the tables of groups to come.
    [[nodiscard]] std::uint64_t data_start(std::uint32_t group) const noexcept;
    /// Blocks that data may use in all groups.
    [[nodiscard]] std::uint64_t data_blocks() const noexcept;

  private:
    void drop_tiny_last_group();
    [[nodiscard]] std::uint64_t tables_at(std::uint32_t group) const noexcept;
    [[nodiscard]] std::uint64_t table_zone() const noexcept;

    [[nodiscard]] std::uint32_t flex_groups() const noexcept { return 1U << log_flex_; }

    std::uint64_t blocks_ = 0;
    std::uint32_t groups_ = 0;
    std::uint32_t inodes_per_group_ = 0;
    std::uint32_t descriptor_blocks_ = 0;
    std::uint32_t reserved_descriptor_blocks_ = 0;
    std::uint32_t log_flex_ = 4;
};

/// Hands out data blocks from the front to the back and keeps the map of blocks in use.
class Allocator {
  public:
    /// Marks the metadata as used.
    explicit Allocator(const Geometry& geometry);

    /// The next free run, at least 1 and at most `wanted` blocks. Throws Error when all are used.
    [[nodiscard]] Run take(std::uint64_t wanted);
    /// Moves on so that the next block is a multiple of `blocks`; what is passed stays free.
    void align(std::uint64_t blocks);

    void skip(std::uint64_t blocks) { cursor_ += blocks; }

    [[nodiscard]] std::uint64_t used_in_group(std::uint32_t group) const noexcept {
        return used_[group];
    }

    /// The bitmap of one group as it is on disk; bits behind the end of the file system are set.
    [[nodiscard]] std::vector<std::byte> bitmap(std::uint32_t group) const;

  private:
    void mark(std::uint64_t start, std::uint64_t count);

    const Geometry& geometry_;
    std::vector<std::uint8_t> bits_;
    std::vector<std::uint64_t> used_;
    std::uint64_t cursor_ = 0;
};

} // namespace kiln::ext4
