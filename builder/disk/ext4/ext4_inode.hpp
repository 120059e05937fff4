// SPDX-License-Identifier: MIT
//
// ext4 inodes as they lie on disk: owner, mode, times, extent trees, and the checksums (crc32c)
// that metadata_csum asks for. On-disk structures are libext2fs's.
#pragma once

#include "base/io/stream.hpp"
#include "disk/ext4/ext4_layout.hpp"
#include "tree/file_tree.hpp"

#include <ext2fs/ext2_fs.h>

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace kiln::ext4 {

/// One slot of the inode table: the fixed fields, then the extended attributes.
struct Inode {
    ext2_inode_large fixed{};
    std::array<std::byte, kInodeSize - sizeof(ext2_inode_large)> attributes{};
};

static_assert(sizeof(Inode) == kInodeSize);

/// Seeded with the file system's UUID.
class Checksums {
  public:
    explicit Checksums(const std::array<std::uint8_t, 16>& uuid);

    [[nodiscard]] static std::uint32_t crc32c(std::uint32_t seed, Bytes bytes);

    [[nodiscard]] std::uint32_t of(Bytes bytes) const { return crc32c(seed_, bytes); }

    /// Of a number (group, block), to go on from with crc32c().
    [[nodiscard]] std::uint32_t seed_for_group(std::uint32_t group) const;
    [[nodiscard]] std::uint32_t seed_for_block(std::uint64_t block) const;
    /// For blocks that belong to an inode (generation 0).
    [[nodiscard]] std::uint32_t seed_for_inode(std::uint32_t number) const;
    /// Fills in the checksum of a complete inode.
    void seal(std::uint32_t number, Inode& inode) const;

  private:
    std::uint32_t seed_;
};

/// `count` blocks of a file from its block `logical` on lie at `start`.
struct Extent {
    std::uint64_t logical = 0;
    std::uint64_t start = 0;
    std::uint64_t count = 0;
};

/// Appends, joining with the extent before where both are contiguous.
void add_extent(std::vector<Extent>& extents, const Extent& extent);

/// Gets a new block and its content.
using BlockSink = std::function<void(std::uint64_t block, Bytes content)>;

/// Writes the extents into the inode, and the tree's further levels, if any, into blocks taken from
/// `allocator`. Adds all blocks to i_blocks.
class ExtentWriter {
  public:
    ExtentWriter(Allocator& allocator, const Checksums& checksums, BlockSink sink)
        : allocator_(allocator), checksums_(checksums), sink_(std::move(sink)) {}

    void write(std::uint32_t number, Inode& inode, const std::vector<Extent>& extents);

  private:
    Allocator& allocator_;
    const Checksums& checksums_;
    BlockSink sink_;
};

/// Largest number of blocks that an extent tree of a contiguous file can take up beside its data.
[[nodiscard]] std::uint64_t extent_tree_bound(std::uint64_t data_blocks);

/// Type, mode, owner, links and all four times (= mtime). Throws Error when a time or the link
/// count cannot be stored.
void fill_inode(Inode& inode, const Entry& entry, std::uint32_t links);
void set_times(Inode& inode, std::int64_t seconds);
void set_size(Inode& inode, std::uint64_t bytes);
/// Adds to i_blocks, which counts 512-byte sectors.
void add_blocks(Inode& inode, std::uint64_t blocks);
[[nodiscard]] std::uint64_t get_blocks(const Inode& inode);
void set_device(Inode& inode, std::uint32_t device_major, std::uint32_t device_minor);
/// A target of less than 60 bytes lives in the inode itself.
[[nodiscard]] bool is_fast_symlink(const Entry& entry);
void set_fast_symlink(Inode& inode, std::string_view target);

[[nodiscard]] constexpr std::uint16_t low16(std::uint64_t value) {
    return static_cast<std::uint16_t>(value & 0xffff);
}

[[nodiscard]] constexpr std::uint32_t low32(std::uint64_t value) {
    return static_cast<std::uint32_t>(value & 0xffffffff);
}

[[nodiscard]] constexpr std::uint32_t high32(std::uint64_t value) {
    return static_cast<std::uint32_t>(value >> 32);
}

/// The bytes of a structure without padding.
template <typename T> [[nodiscard]] Bytes bytes_of(const T& object) {
    return std::as_bytes(std::span(&object, 1));
}

} // namespace kiln::ext4
