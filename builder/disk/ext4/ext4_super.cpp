// SPDX-License-Identifier: MIT
#include "disk/ext4/ext4_super.hpp"

#include "base/byte_order.hpp"
#include "base/error.hpp"

#include <ext2fs/ext2fs.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>

namespace kiln::ext4 {

namespace {

constexpr std::uint32_t kAddressesPerBlock = kBlockSize / 4;
constexpr std::uint32_t kJournalMagic = 0xc03b3998;
constexpr std::uint32_t kJournalSuperblockV2 = 4;

/// journal_superblock_t of jbd2, big-endian (Linux, include/linux/jbd2.h).
namespace journal_field {
constexpr ByteField kMagic{0x00, 4};
constexpr ByteField kBlockType{0x04, 4};
constexpr ByteField kBlockSizeField{0x0c, 4};
constexpr ByteField kBlocks{0x10, 4};   ///< of the journal
constexpr ByteField kFirst{0x14, 4};    ///< first block of the log
constexpr ByteField kSequence{0x18, 4}; ///< first commit id that is expected
constexpr std::size_t kUuid = 0x30;     ///< of the file system
constexpr ByteField kUsers{0x40, 4};    ///< file systems that share the journal
} // namespace journal_field

} // namespace

Inode system_file(std::int64_t epoch) {
    Entry entry;
    entry.mode = 0600;
    entry.mtime = epoch;
    Inode inode;
    fill_inode(inode, entry, 1);
    return inode;
}

namespace {

/// Free and used things of one group, for its descriptor.
struct GroupCounts {
    std::uint32_t inodes_used = 0;
    std::uint32_t directories = 0;
};

class MetadataWriter {
  public:
    MetadataWriter(const Metadata& metadata, const BlockSink& sink)
        : m_(metadata), g_(metadata.geometry), sink_(sink) {}

    void run() {
        for (std::uint32_t group = 0; group < g_.groups(); ++group) {
            const GroupCounts counts = write_inode_table(group);
            add_descriptor(group, counts);
        }
        for (std::uint32_t group = 0; group < g_.groups(); ++group) {
            if (Geometry::has_super(group)) {
                write_super(group);
            }
        }
    }

  private:
    GroupCounts write_inode_table(std::uint32_t group) {
        const std::uint64_t first = std::uint64_t{group} * g_.inodes_per_group();
        const auto& inodes = m_.inodes.inodes;
        GroupCounts counts;
        if (first >= inodes.size()) {
            return counts;
        }
        const auto part = std::span(inodes).subspan(
            first, std::min<std::uint64_t>(g_.inodes_per_group(), inodes.size() - first));
        counts.inodes_used = static_cast<std::uint32_t>(part.size());
        std::vector<std::byte> table(round_up(part.size(), kInodesPerBlock) * kInodeSize);
        for (std::size_t i = 0; i < part.size(); ++i) {
            Inode inode = part[i];
            if ((inode.fixed.i_mode & LINUX_S_IFMT) == LINUX_S_IFDIR) {
                ++counts.directories;
            }
            m_.checksums.seal(static_cast<std::uint32_t>(first + i + 1), inode);
            std::memcpy(table.data() + i * kInodeSize, &inode, kInodeSize);
        }
        sink_(g_.inode_table(group), table);
        return counts;
    }

    void add_descriptor(std::uint32_t group, const GroupCounts& counts) {
        ext4_group_desc out{};
        out.bg_block_bitmap = low32(g_.block_bitmap(group));
        out.bg_block_bitmap_hi = high32(g_.block_bitmap(group));
        out.bg_inode_bitmap = low32(g_.inode_bitmap(group));
        out.bg_inode_bitmap_hi = high32(g_.inode_bitmap(group));
        out.bg_inode_table = low32(g_.inode_table(group));
        out.bg_inode_table_hi = high32(g_.inode_table(group));
        const std::uint64_t free_blocks =
            g_.end_block(group) - g_.first_block(group) - m_.allocator.used_in_group(group);
        out.bg_free_blocks_count = low16(free_blocks);
        out.bg_free_blocks_count_hi = low16(free_blocks >> 16);
        const std::uint32_t free_inodes = g_.inodes_per_group() - counts.inodes_used;
        out.bg_free_inodes_count = low16(free_inodes);
        out.bg_free_inodes_count_hi = low16(free_inodes >> 16);
        out.bg_itable_unused = out.bg_free_inodes_count;
        out.bg_itable_unused_hi = out.bg_free_inodes_count_hi;
        out.bg_used_dirs_count = low16(counts.directories);
        out.bg_used_dirs_count_hi = low16(counts.directories >> 16);
        // The image reads as zeros where nothing was written, so the kernel need not clear tables.
        out.bg_flags = EXT2_BG_INODE_ZEROED;
        free_blocks_ += free_blocks;
        free_inodes_ += free_inodes;
        const bool is_last = group + 1 == g_.groups();
        if (free_blocks == kBlocksPerGroup && !is_last) {
            out.bg_flags |= EXT2_BG_BLOCK_UNINIT;
        } else {
            write_block_bitmap(group, out);
        }
        if (counts.inodes_used == 0) {
            out.bg_flags |= EXT2_BG_INODE_UNINIT;
        } else {
            write_inode_bitmap(group, counts.inodes_used, out);
        }
        const std::uint32_t sum =
            Checksums::crc32c(m_.checksums.seed_for_group(group), bytes_of(out));
        out.bg_checksum = low16(sum);
        const Bytes bytes = bytes_of(out);
        descriptors_.insert(descriptors_.end(), bytes.begin(), bytes.end());
    }

    void write_block_bitmap(std::uint32_t group, ext4_group_desc& out) {
        const auto bitmap = m_.allocator.bitmap(group);
        const std::uint32_t sum = m_.checksums.of(bitmap);
        out.bg_block_bitmap_csum_lo = low16(sum);
        out.bg_block_bitmap_csum_hi = low16(sum >> 16);
        sink_(g_.block_bitmap(group), bitmap);
    }

    void write_inode_bitmap(std::uint32_t group, std::uint32_t used, ext4_group_desc& out) {
        std::vector<std::byte> bitmap(kBlockSize);
        const auto set = [&](std::uint32_t bit) { bitmap[bit / 8] |= std::byte{1} << (bit % 8); };
        for (std::uint32_t bit = 0; bit < used; ++bit) {
            set(bit);
        }
        for (std::uint32_t bit = g_.inodes_per_group(); bit < 8 * kBlockSize; ++bit) {
            set(bit);
        }
        const std::uint32_t sum =
            m_.checksums.of(std::span(bitmap).first(g_.inodes_per_group() / 8));
        out.bg_inode_bitmap_csum_lo = low16(sum);
        out.bg_inode_bitmap_csum_hi = low16(sum >> 16);
        sink_(g_.inode_bitmap(group), bitmap);
    }

    void write_super(std::uint32_t group) {
        ext2_super_block super = make_super();
        super.s_block_group_nr = low16(group);
        super.s_checksum =
            Checksums::crc32c(~0U, bytes_of(super).first(offsetof(ext2_super_block, s_checksum)));
        std::vector<std::byte> block(kBlockSize);
        // Only the primary superblock leaves the first 1024 bytes to boot loaders.
        std::memcpy(block.data() + (group == 0 ? 1024 : 0), &super, sizeof super);
        sink_(g_.first_block(group), block);
        std::vector<std::byte> table = descriptors_;
        table.resize(std::size_t{g_.descriptor_blocks()} * kBlockSize);
        sink_(g_.first_block(group) + 1, table);
    }

    [[nodiscard]] ext2_super_block make_super() const {
        ext2_super_block s{};
        set_counts(s);
        set_features(s);
        set_identity(s);
        s.s_log_block_size = s.s_log_cluster_size = 2;
        s.s_blocks_per_group = s.s_clusters_per_group = kBlocksPerGroup;
        s.s_inodes_per_group = g_.inodes_per_group();
        s.s_max_mnt_count = -1;
        s.s_magic = EXT2_SUPER_MAGIC;
        s.s_state = EXT2_VALID_FS;
        s.s_errors = EXT2_ERRORS_CONTINUE;
        s.s_creator_os = EXT2_OS_LINUX;
        s.s_rev_level = EXT2_DYNAMIC_REV;
        s.s_first_ino = kLostFoundInode;
        s.s_inode_size = kInodeSize;
        s.s_min_extra_isize = s.s_want_extra_isize = 32;
        s.s_desc_size = kDescriptorSize;
        s.s_reserved_gdt_blocks = low16(g_.reserved_descriptor_blocks());
        s.s_default_mount_opts = EXT2_DEFM_XATTR_USER | EXT2_DEFM_ACL;
        s.s_log_groups_per_flex = static_cast<std::uint8_t>(g_.log_groups_per_flex());
        s.s_checksum_type = EXT2_CRC32C_CHKSUM;
        s.s_def_hash_version = EXT2_HASH_HALF_MD4;
        s.s_flags = EXT2_FLAGS_UNSIGNED_HASH;
        const Inode& journal = m_.inodes.at(kJournalInode);
        s.s_journal_inum = kJournalInode;
        s.s_jnl_backup_type = EXT3_JNL_BACKUP_BLOCKS;
        std::memcpy(s.s_jnl_blocks, journal.fixed.i_block, sizeof journal.fixed.i_block);
        s.s_jnl_blocks[15] = journal.fixed.i_size_high;
        s.s_jnl_blocks[16] = journal.fixed.i_size;
        return s;
    }

    void set_counts(ext2_super_block& s) const {
        const std::uint64_t reserved = g_.blocks() / 100;
        s.s_inodes_count = g_.groups() * g_.inodes_per_group();
        s.s_blocks_count = low32(g_.blocks());
        s.s_blocks_count_hi = high32(g_.blocks());
        s.s_r_blocks_count = low32(reserved);
        s.s_r_blocks_count_hi = high32(reserved);
        s.s_free_blocks_count = low32(free_blocks_);
        s.s_free_blocks_hi = high32(free_blocks_);
        s.s_free_inodes_count = low32(free_inodes_);
    }

    void set_features(ext2_super_block& s) const {
        s.s_feature_compat = EXT3_FEATURE_COMPAT_HAS_JOURNAL | EXT2_FEATURE_COMPAT_EXT_ATTR |
                             EXT2_FEATURE_COMPAT_DIR_INDEX;
        if (g_.reserved_descriptor_blocks() > 0) {
            s.s_feature_compat |= EXT2_FEATURE_COMPAT_RESIZE_INODE;
        }
        s.s_feature_incompat = EXT2_FEATURE_INCOMPAT_FILETYPE | EXT3_FEATURE_INCOMPAT_EXTENTS |
                               EXT4_FEATURE_INCOMPAT_64BIT | EXT4_FEATURE_INCOMPAT_FLEX_BG;
        s.s_feature_ro_compat =
            EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE |
            EXT4_FEATURE_RO_COMPAT_HUGE_FILE | EXT4_FEATURE_RO_COMPAT_DIR_NLINK |
            EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE | EXT4_FEATURE_RO_COMPAT_METADATA_CSUM;
    }

    void set_identity(ext2_super_block& s) const {
        const Ext4Options& options = m_.options;
        if (options.label.size() > sizeof s.s_volume_name) {
            throw Error(fmt::format("the label '{}' is longer than 16 bytes", options.label));
        }
        std::memcpy(s.s_uuid, options.uuid.data(), sizeof s.s_uuid);
        std::memcpy(s.s_hash_seed, options.hash_seed.data(), sizeof s.s_hash_seed);
        std::memcpy(s.s_volume_name, options.label.data(), options.label.size());
        const auto time = static_cast<std::uint64_t>(options.epoch);
        s.s_mkfs_time = s.s_wtime = s.s_lastcheck = low32(time);
        s.s_mkfs_time_hi = s.s_wtime_hi = s.s_lastcheck_hi =
            static_cast<std::uint8_t>(high32(time));
    }

    const Metadata& m_;
    const Geometry& g_;
    const BlockSink& sink_;
    std::vector<std::byte> descriptors_;
    std::uint64_t free_blocks_ = 0;
    std::uint64_t free_inodes_ = 0;
};

} // namespace

std::uint64_t write_journal(
    Inode& inode, const Geometry& geometry, const Ext4Options& options, Allocator& allocator) {
    std::vector<Extent> extents;
    std::uint64_t done = 0;
    while (done < geometry.journal_blocks()) {
        const Run run = allocator.take(geometry.journal_blocks() - done);
        add_extent(extents, {done, run.start, run.count});
        done += run.count;
    }
    const Checksums checksums(options.uuid);
    // A journal is in so few pieces that its extents need no block.
    ExtentWriter writer(allocator, checksums, [](std::uint64_t, Bytes) { KILN_CHECK(false); });
    writer.write(kJournalInode, inode, extents);
    set_size(inode, geometry.journal_blocks() * kBlockSize);
    return extents.front().start;
}

std::vector<std::byte> journal_superblock(const Geometry& geometry, const Ext4Options& options) {
    std::vector<std::byte> block(kBlockSize);
    put_be(block, journal_field::kMagic, kJournalMagic);
    put_be(block, journal_field::kBlockType, kJournalSuperblockV2);
    put_be(block, journal_field::kBlockSizeField, kBlockSize);
    put_be(block, journal_field::kBlocks, low32(geometry.journal_blocks()));
    put_be(block, journal_field::kFirst, 1);
    put_be(block, journal_field::kSequence, 1);
    std::memcpy(block.data() + journal_field::kUuid, options.uuid.data(), options.uuid.size());
    put_be(block, journal_field::kUsers, 1);
    return block;
}

void write_resize_inode(
    Inode& inode, const Geometry& geometry, Allocator& allocator, const BlockSink& sink) {
    if (geometry.reserved_descriptor_blocks() == 0) {
        return;
    }
    // The double indirect block points to the primary reserved descriptor blocks; each of these
    // serves as an indirect block that lists its backups in the other groups.
    std::array<std::uint32_t, kAddressesPerBlock> double_indirect{};
    std::uint64_t blocks = 1;
    for (std::uint32_t i = 0; i < geometry.reserved_descriptor_blocks(); ++i) {
        const std::uint32_t index = geometry.descriptor_blocks() + i;
        const std::uint32_t primary = 1 + index;
        std::array<std::uint32_t, kAddressesPerBlock> backups{};
        std::size_t count = 0;
        for (std::uint32_t group = 1; group < geometry.groups(); ++group) {
            if (Geometry::has_super(group)) {
                backups.at(count++) = low32(geometry.first_block(group) + primary);
            }
        }
        double_indirect.at(index % kAddressesPerBlock) = primary;
        sink(primary, std::as_bytes(std::span(backups)));
        blocks += 1 + count;
    }
    const std::uint64_t place = allocator.take(1).start;
    sink(place, std::as_bytes(std::span(double_indirect)));
    inode.fixed.i_block[EXT2_DIND_BLOCK] = low32(place);
    constexpr std::uint64_t kLargest = std::uint64_t{kAddressesPerBlock} * kAddressesPerBlock +
                                       kAddressesPerBlock + EXT2_NDIR_BLOCKS;
    set_size(inode, kLargest * kBlockSize);
    add_blocks(inode, blocks);
}

void write_metadata(const Metadata& metadata, const BlockSink& sink) {
    MetadataWriter(metadata, sink).run();
}

} // namespace kiln::ext4
