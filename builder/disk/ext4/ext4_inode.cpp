// SPDX-License-Identifier: MIT
#include "disk/ext4/ext4_inode.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <ext2fs/ext2fs.h>
#include <ext2fs/ext3_extents.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>

// Structures are written as they lie in memory.
static_assert(std::endian::native == std::endian::little);

namespace kiln::ext4 {

namespace {

constexpr std::uint16_t kExtraInodeSize = 32;
constexpr std::uint32_t kMaxLinks = 65000;
constexpr std::uint32_t kSectorsPerBlock = kBlockSize / 512;
constexpr std::uint64_t kMaxExtentBlocks = 32768;
constexpr std::size_t kNodeSize = sizeof(ext3_extent);
constexpr std::size_t kEntriesInInode = 4;
constexpr std::size_t kEntriesInBlock = (kBlockSize - sizeof(ext3_extent_header)) / kNodeSize;
constexpr std::size_t kFastSymlinkSize = sizeof(ext2_inode_large::i_block);

using Node = std::array<std::byte, kNodeSize>;

static_assert(sizeof(ext3_extent) == sizeof(ext3_extent_idx));

/// A subtree as its parent sees it.
struct Child {
    std::uint64_t logical = 0;
    Node node{};
};

Child leaf_node(const Extent& extent) {
    ext3_extent out{};
    out.ee_block = low32(extent.logical);
    // 32768 is stored as it is: values above it would mean "unwritten".
    out.ee_len = low16(extent.count);
    out.ee_start = low32(extent.start);
    out.ee_start_hi = low16(high32(extent.start));
    Child child{extent.logical, {}};
    std::memcpy(child.node.data(), &out, sizeof out);
    return child;
}

Child index_node(std::uint64_t logical, std::uint64_t block) {
    ext3_extent_idx out{};
    out.ei_block = low32(logical);
    out.ei_leaf = low32(block);
    out.ei_leaf_hi = low16(high32(block));
    Child child{logical, {}};
    std::memcpy(child.node.data(), &out, sizeof out);
    return child;
}

void put_nodes(
    std::span<std::byte> place,
    std::span<const Child> children,
    std::size_t capacity,
    std::size_t depth) {
    ext3_extent_header header{};
    header.eh_magic = EXT3_EXT_MAGIC;
    header.eh_entries = low16(children.size());
    header.eh_max = low16(capacity);
    header.eh_depth = low16(depth);
    std::memcpy(place.data(), &header, sizeof header);
    std::byte* out = place.data() + sizeof header;
    for (const Child& child : children) {
        std::memcpy(out, child.node.data(), kNodeSize);
        out += kNodeSize;
    }
}

std::uint16_t mode_of(const Entry& entry) {
    constexpr std::array<std::uint16_t, 7> kTypes{
        LINUX_S_IFREG,
        LINUX_S_IFDIR,
        LINUX_S_IFLNK,
        LINUX_S_IFCHR,
        LINUX_S_IFBLK,
        LINUX_S_IFIFO,
        LINUX_S_IFSOCK};
    return low16(kTypes.at(static_cast<std::size_t>(entry.type)) | (entry.mode & 07777U));
}

} // namespace

Checksums::Checksums(const std::array<std::uint8_t, 16>& uuid)
    : seed_(crc32c(~0U, std::as_bytes(std::span(uuid)))) {}

std::uint32_t Checksums::crc32c(std::uint32_t seed, Bytes bytes) {
    return ext2fs_crc32c_le(
        seed, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

std::uint32_t Checksums::seed_for_group(std::uint32_t group) const {
    return of(bytes_of(group));
}

std::uint32_t Checksums::seed_for_block(std::uint64_t block) const {
    return of(bytes_of(block));
}

std::uint32_t Checksums::seed_for_inode(std::uint32_t number) const {
    constexpr std::uint32_t kGeneration = 0;
    return crc32c(of(bytes_of(number)), bytes_of(kGeneration));
}

void Checksums::seal(std::uint32_t number, Inode& inode) const {
    inode.fixed.osd2.linux2.l_i_checksum_lo = 0;
    inode.fixed.i_checksum_hi = 0;
    const std::uint32_t sum = crc32c(seed_for_inode(number), bytes_of(inode));
    inode.fixed.osd2.linux2.l_i_checksum_lo = low16(sum);
    // The upper half counts as a field only in inodes that say they have it; unused ones do not.
    if (inode.fixed.i_extra_isize > 0) {
        inode.fixed.i_checksum_hi = low16(sum >> 16);
    }
}

void add_extent(std::vector<Extent>& extents, const Extent& extent) {
    Extent rest = extent;
    if (!extents.empty()) {
        Extent& last = extents.back();
        if (last.logical + last.count == rest.logical && last.start + last.count == rest.start) {
            const std::uint64_t joined = std::min(rest.count, kMaxExtentBlocks - last.count);
            last.count += joined;
            rest = {rest.logical + joined, rest.start + joined, rest.count - joined};
        }
    }
    while (rest.count > 0) {
        const std::uint64_t count = std::min(rest.count, kMaxExtentBlocks);
        extents.push_back({rest.logical, rest.start, count});
        rest = {rest.logical + count, rest.start + count, rest.count - count};
    }
}

void ExtentWriter::write(std::uint32_t number, Inode& inode, const std::vector<Extent>& extents) {
    std::vector<Child> level;
    for (const Extent& extent : extents) {
        level.push_back(leaf_node(extent));
        add_blocks(inode, extent.count);
    }
    std::size_t depth = 0;
    while (level.size() > kEntriesInInode) {
        std::vector<Child> above;
        for (std::size_t i = 0; i < level.size(); i += kEntriesInBlock) {
            const auto part =
                std::span(level).subspan(i, std::min(kEntriesInBlock, level.size() - i));
            std::array<std::byte, kBlockSize> block{};
            put_nodes(block, part, kEntriesInBlock, depth);
            constexpr std::size_t kSummed =
                sizeof(ext3_extent_header) + kEntriesInBlock * kNodeSize;
            const std::uint32_t sum = Checksums::crc32c(
                checksums_.seed_for_inode(number), std::span(block).first(kSummed));
            std::memcpy(block.data() + kSummed, &sum, sizeof sum);
            const std::uint64_t place = allocator_.take(1).start;
            sink_(place, block);
            add_blocks(inode, 1);
            above.push_back(index_node(part.front().logical, place));
        }
        level = std::move(above);
        ++depth;
    }
    inode.fixed.i_flags |= EXT4_EXTENTS_FL;
    put_nodes(
        std::as_writable_bytes(std::span(inode.fixed.i_block)), level, kEntriesInInode, depth);
}

std::uint64_t extent_tree_bound(std::uint64_t data_blocks) {
    // A run is cut at most at each group's head and at the extent's own limit.
    const std::uint64_t extents = 3 * (data_blocks / (kBlocksPerGroup / 2)) + 2;
    return extents <= kEntriesInInode ? 0 : divide_up(extents, kEntriesInBlock) + 1;
}

void set_times(Inode& inode, std::int64_t seconds) {
    // 32 bits, and 2 more in the "extra" fields that count epochs of 2^32 s; nanoseconds stay 0.
    constexpr std::int64_t kFirst = -(std::int64_t{1} << 31);
    constexpr std::int64_t kLast = kFirst + (std::int64_t{4} << 32) - 1;
    if (seconds < kFirst || seconds > kLast) {
        throw Error(fmt::format("ext4 cannot store the time {}", seconds));
    }
    const std::uint32_t low = low32(static_cast<std::uint64_t>(seconds));
    const auto extra = static_cast<std::uint32_t>((seconds - static_cast<std::int32_t>(low)) >> 32);
    inode.fixed.i_atime = inode.fixed.i_ctime = inode.fixed.i_mtime = inode.fixed.i_crtime = low;
    inode.fixed.i_atime_extra = inode.fixed.i_ctime_extra = inode.fixed.i_mtime_extra =
        inode.fixed.i_crtime_extra = extra;
}

void set_size(Inode& inode, std::uint64_t bytes) {
    inode.fixed.i_size = low32(bytes);
    inode.fixed.i_size_high = high32(bytes);
}

std::uint64_t get_blocks(const Inode& inode) {
    return (std::uint64_t{inode.fixed.osd2.linux2.l_i_blocks_hi} << 32 | inode.fixed.i_blocks) /
           kSectorsPerBlock;
}

void add_blocks(Inode& inode, std::uint64_t blocks) {
    const std::uint64_t sectors = (get_blocks(inode) + blocks) * kSectorsPerBlock;
    inode.fixed.i_blocks = low32(sectors);
    inode.fixed.osd2.linux2.l_i_blocks_hi = low16(high32(sectors));
}

void set_device(Inode& inode, std::uint32_t device_major, std::uint32_t device_minor) {
    // Block 0 holds the old 8:8 form, block 1 the 12:20 form, as the kernel's ext4 does.
    if (device_major < 256 && device_minor < 256) {
        inode.fixed.i_block[0] = device_major << 8 | device_minor;
    } else {
        inode.fixed.i_block[1] =
            (device_minor & 0xffU) | device_major << 8 | (device_minor & ~0xffU) << 12;
    }
}

bool is_fast_symlink(const Entry& entry) {
    return entry.type == FileType::symlink && entry.target.size() < kFastSymlinkSize;
}

void set_fast_symlink(Inode& inode, std::string_view target) {
    std::memcpy(inode.fixed.i_block, target.data(), target.size());
    set_size(inode, target.size());
}

void fill_inode(Inode& inode, const Entry& entry, std::uint32_t links) {
    const bool is_directory = entry.type == FileType::directory;
    if (links > kMaxLinks && !is_directory) {
        throw Error(fmt::format("too many hard links to one file for ext4: {}", links));
    }
    inode.fixed.i_mode = mode_of(entry);
    inode.fixed.i_uid = low16(entry.uid);
    inode.fixed.osd2.linux2.l_i_uid_high = low16(entry.uid >> 16);
    inode.fixed.i_gid = low16(entry.gid);
    inode.fixed.osd2.linux2.l_i_gid_high = low16(entry.gid >> 16);
    // dir_nlink: a directory with too many subdirectories counts 1.
    inode.fixed.i_links_count = links > kMaxLinks ? 1 : low16(links);
    inode.fixed.i_extra_isize = kExtraInodeSize;
    set_times(inode, entry.mtime);
}

} // namespace kiln::ext4
