// SPDX-License-Identifier: MIT
#include "disk/ext4/ext4.hpp"

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/io/file.hpp"
#include "base/text.hpp"
#include "disk/ext4/ext4_content.hpp"
#include "disk/ext4/ext4_plan.hpp"
#include "disk/ext4/ext4_super.hpp"
#include "disk/ext4/ext4_xattr.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kiln {

namespace {

using namespace ext4;

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kLeastMetadata = 1200;
/// A group's inode bitmap has room for one inode in so many bytes.
constexpr std::uint64_t kBytesPerInode = kBlocksPerGroup * std::uint64_t{kBlockSize} / 32768;

PlanParams plan_params(const Ext4Options& options) {
    return {options.hash_seed, options.epoch};
}

/// One blob of work for one file system; members in the order in which they are filled.
class Ext4Writer {
  public:
    Ext4Writer(
        const FileTree& tree,
        const Ext4Options& options,
        const Ext4Target& target,
        const ByteProgress& progress)
        : options_(options), target_(target), progress_(progress), checksums_(options.uuid),
          plan_(tree, plan_params(options)), geometry_(target.size, plan_.last_inode()),
          allocator_(geometry_),
          sink_([this](std::uint64_t block, Bytes bytes) { write_blocks(block, bytes); }),
          extent_writer_(allocator_, checksums_, sink_) {
        inodes_.inodes.resize(plan_.last_inode());
    }

    void run() {
        write_system_files();
        for (const Node& node : plan_.nodes()) {
            with_node_context(
                node, [&] { fill_inode(inodes_.at(node.number), *node.entry, node.links); });
        }
        write_directories();
        write_nodes();
        write_metadata({geometry_, allocator_, checksums_, options_, inodes_}, sink_);
    }

  private:
    template <typename Body> static void with_node_context(const Node& node, const Body& body) {
        with_context(fmt::format("writing '/{}'", node.path), body);
    }

    void write_blocks(std::uint64_t block, Bytes bytes) {
        KILN_CHECK((block * kBlockSize) + bytes.size() <= target_.size);
        write_all_at(target_.fd, bytes, target_.offset + block * kBlockSize, target_.name);
    }

    void write_system_files() {
        Inode& journal = inodes_.at(kJournalInode) = system_file(options_.epoch);
        const std::uint64_t start = write_journal(journal, geometry_, options_, allocator_);
        sink_(start, journal_superblock(geometry_, options_));
        Inode& resize = inodes_.at(kResizeInode) = system_file(options_.epoch);
        write_resize_inode(resize, geometry_, allocator_, sink_);
    }

    void write_directories() {
        std::uint64_t used = 0;
        for (const DirectoryPlan& directory : plan_.directories()) {
            const std::uint32_t number = directory.params.self;
            const DirectoryBlocks content = build_directory(directory, checksums_);
            Inode& inode = inodes_.at(number);
            std::vector<Extent> extents;
            write_extents(extents, 0, content.bytes);
            extent_writer_.write(number, inode, extents);
            set_size(inode, content.bytes.size());
            if (content.indexed) {
                inode.fixed.i_flags |= EXT2_INDEX_FL;
            }
            used += get_blocks(inode);
        }
        // A tree of extents is rare here and only narrows the room to grow.
        allocator_.skip(plan_.directory_region() - std::min(used, plan_.directory_region()));
    }

    void write_nodes() {
        ContentAlignment alignment;
        for (const Node& node : plan_.nodes()) {
            throw_if_interrupted();
            allocator_.align(alignment.before(node));
            with_node_context(node, [&] { write_node(node); });
        }
    }

    void write_node(const Node& node) {
        const Entry& entry = *node.entry;
        Inode& inode = inodes_.at(node.number);
        switch (entry.type) {
        case FileType::regular:
            write_file(node, inode);
            break;
        case FileType::symlink:
            if (is_fast_symlink(entry)) {
                set_fast_symlink(inode, entry.target);
            } else {
                write_slow_symlink(node, inode);
            }
            break;
        case FileType::char_device:
        case FileType::block_device:
            set_device(inode, entry.device_major, entry.device_minor);
            break;
        case FileType::directory:
        case FileType::fifo:
        case FileType::socket:
        case FileType::whiteout:
            break;
        }
        if (auto block = store_attributes(inode, entry.xattrs, node.path)) {
            const std::uint64_t place = allocator_.take(1).start;
            seal_attribute_block(*block, place, checksums_);
            sink_(place, *block);
            inode.fixed.i_file_acl = low32(place);
            inode.fixed.osd2.linux2.l_i_file_acl_high = low16(high32(place));
            add_blocks(inode, 1);
        }
    }

    void write_file(const Node& node, Inode& inode) {
        std::vector<Extent> extents;
        std::uint64_t reported = 0;
        reader_.read(node.path, *node.entry, [&](std::uint64_t offset, Bytes bytes) {
            throw_if_interrupted();
            const std::uint64_t end = std::min(offset + bytes.size(), node.entry->size);
            progress_(end - reported);
            reported = end;
            write_extents(extents, offset / kBlockSize, bytes);
        });
        if (reported < node.entry->size) {
            progress_(node.entry->size - reported);
        }
        extent_writer_.write(node.number, inode, extents);
        set_size(inode, node.entry->size);
    }

    void write_extents(std::vector<Extent>& extents, std::uint64_t logical, Bytes bytes) {
        while (!bytes.empty()) {
            const Run run = allocator_.take(bytes.size() / kBlockSize);
            sink_(run.start, bytes.first(run.count * kBlockSize));
            bytes = bytes.subspan(run.count * kBlockSize);
            add_extent(extents, {logical, run.start, run.count});
            logical += run.count;
        }
    }

    void write_slow_symlink(const Node& node, Inode& inode) {
        std::vector<std::byte> block(kBlockSize);
        std::ranges::copy(as_byte_span(node.entry->target), block.begin());
        std::vector<Extent> extents;
        write_extents(extents, 0, block);
        extent_writer_.write(node.number, inode, extents);
        set_size(inode, node.entry->target.size());
    }

    const Ext4Options& options_;
    const Ext4Target& target_;
    const ByteProgress& progress_;
    Checksums checksums_;
    TreePlan plan_;
    Geometry geometry_;
    Allocator allocator_;
    BlockSink sink_;
    ExtentWriter extent_writer_;
    ContentReader reader_;
    InodeUse inodes_;
};

/// What may be used when everything but the tree's own blocks is in place.
bool has_room(const Geometry& geometry, std::uint64_t needed, std::uint64_t free_blocks) {
    // The journal is among the data; one block is the resize inode's.
    return geometry.data_blocks() >= needed + free_blocks + geometry.journal_blocks() + 1;
}

} // namespace

std::uint64_t ext4_size(const FileTree& tree, const Ext4Options& options) {
    const TreePlan plan(tree, plan_params(options));
    const std::uint64_t needed = plan.directory_region() + plan.content_bound();
    const std::uint64_t free_blocks = divide_up(options.free_bytes, kBlockSize);
    // A lower bound to start from: tables, the smallest journal, descriptors.
    const std::uint64_t inodes = plan.last_inode() + plan.last_inode() / 8;
    std::uint64_t size = round_up(
        std::max(
            (needed + free_blocks + inodes / kInodesPerBlock + kLeastMetadata) * kBlockSize,
            inodes * kBytesPerInode),
        kMiB);
    while (true) {
        const Geometry geometry(size, plan.last_inode());
        if (has_room(geometry, needed, free_blocks)) {
            return size;
        }
        size += std::max(
            kMiB,
            round_up(
                (needed + free_blocks + geometry.journal_blocks() + 1 - geometry.data_blocks()) *
                    kBlockSize,
                kMiB));
    }
}

void write_ext4(
    const FileTree& tree,
    const Ext4Options& options,
    const Ext4Target& target,
    const ByteProgress& progress) {
    if (options.epoch < 0) {
        throw Error("the time of a file system cannot be before 1970");
    }
    Ext4Writer(tree, options, target, progress).run();
}

} // namespace kiln
