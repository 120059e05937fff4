// SPDX-License-Identifier: MIT
#include "disk/ext4/ext4_layout.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace kiln::ext4 {

namespace {

/// A last group with fewer blocks of its own than this is left out, as mke2fs does.
constexpr std::uint64_t kMinLastGroupData = 64;
constexpr std::uint32_t kInodesPerFullGroup = 8192;
constexpr std::uint32_t kMaxInodesPerGroup = 8 * kBlockSize;

bool is_power_of(std::uint32_t value, std::uint32_t base) {
    while (value > 1 && value % base == 0) {
        value /= base;
    }
    return value == 1;
}

std::uint32_t
choose_inodes_per_group(std::uint64_t blocks, std::uint32_t groups, std::uint64_t inodes_used) {
    const std::uint64_t ordinary =
        groups > 1 ? kInodesPerFullGroup : round_up(blocks / 4, kInodesPerBlock);
    const std::uint64_t wanted = inodes_used + inodes_used / 16 + 16;
    if (ordinary * groups >= wanted) {
        return static_cast<std::uint32_t>(ordinary);
    }
    const std::uint64_t raised =
        round_up(divide_up(wanted, groups), groups > 1 ? 1024 : kInodesPerBlock);
    if (raised > kMaxInodesPerGroup) {
        throw Error(fmt::format(
            "a file system of {} cannot have {} inodes",
            format_size(blocks * kBlockSize),
            inodes_used));
    }
    return static_cast<std::uint32_t>(raised);
}

} // namespace

Geometry::Geometry(std::uint64_t bytes, std::uint64_t inodes_used) : blocks_(bytes / kBlockSize) {
    // A geometry's groups depend on its tables and the other way round; dropping a tiny last group
    // settles in one step because the tables only get fewer.
    for (int round = 0; round < 2; ++round) {
        groups_ = std::max(1U, static_cast<std::uint32_t>(divide_up(blocks_, kBlocksPerGroup)));
        descriptor_blocks_ = static_cast<std::uint32_t>(divide_up(groups_, kDescriptorsPerBlock));
        // 512 blocks of descriptors let a file system grow to 4 TiB without meta_bg.
        const std::uint32_t all_descriptors = groups_ == 1 ? 32 : 512;
        reserved_descriptor_blocks_ =
            all_descriptors - std::min(all_descriptors, descriptor_blocks_);
        inodes_per_group_ = choose_inodes_per_group(blocks_, groups_, inodes_used);
        log_flex_ = 4;
        while (log_flex_ > 0 && table_zone() > kBlocksPerGroup / 2) {
            --log_flex_;
        }
        drop_tiny_last_group();
    }
    const std::uint64_t smallest = data_start(0) + journal_blocks() + kMinLastGroupData;
    if (blocks_ < smallest) {
        throw Error(fmt::format(
            "a file system of {} is too small: its metadata needs {}",
            format_size(bytes),
            format_size(smallest * kBlockSize)));
    }
}

void Geometry::drop_tiny_last_group() {
    if (groups_ > 1) {
        const std::uint32_t last = groups_ - 1;
        if (blocks_ < data_start(last) + kMinLastGroupData) {
            blocks_ = first_block(last);
        }
    }
}

std::uint64_t Geometry::journal_blocks() const noexcept {
    if (groups_ == 1) {
        return 1024;
    }
    return blocks_ < std::uint64_t{8} * kBlocksPerGroup ? 4096 : 16384;
}

bool Geometry::has_super(std::uint32_t group) {
    return group <= 1 || is_power_of(group, 3) || is_power_of(group, 5) || is_power_of(group, 7);
}

std::uint64_t Geometry::end_block(std::uint32_t group) const noexcept {
    return std::min(first_block(group) + kBlocksPerGroup, blocks_);
}

std::uint64_t Geometry::super_blocks(std::uint32_t group) const noexcept {
    return has_super(group) ? 1ULL + descriptor_blocks_ + reserved_descriptor_blocks_ : 0;
}

std::uint64_t Geometry::table_zone() const noexcept {
    const std::uint64_t groups = groups_ == 1 ? 1 : flex_groups();
    return groups * (2ULL + inode_table_blocks());
}

std::uint64_t Geometry::tables_at(std::uint32_t group) const noexcept {
    const std::uint32_t first = group / flex_groups() * flex_groups();
    return first_block(first) + super_blocks(first);
}

std::uint64_t Geometry::block_bitmap(std::uint32_t group) const noexcept {
    return tables_at(group) + group % flex_groups();
}

std::uint64_t Geometry::inode_bitmap(std::uint32_t group) const noexcept {
    const std::uint32_t groups = groups_ == 1 ? 1 : flex_groups();
    return tables_at(group) + groups + group % flex_groups();
}

std::uint64_t Geometry::inode_table(std::uint32_t group) const noexcept {
    const std::uint64_t groups = groups_ == 1 ? 1 : flex_groups();
    return tables_at(group) + 2 * groups +
           std::uint64_t{group % flex_groups()} * inode_table_blocks();
}

std::uint64_t Geometry::data_start(std::uint32_t group) const noexcept {
    return first_block(group) + super_blocks(group) +
           (group % flex_groups() == 0 ? table_zone() : 0);
}

std::uint64_t Geometry::data_blocks() const noexcept {
    std::uint64_t total = 0;
    for (std::uint32_t group = 0; group < groups_; ++group) {
        total += end_block(group) - data_start(group);
    }
    return total;
}

Allocator::Allocator(const Geometry& geometry)
    : geometry_(geometry), bits_(std::size_t{geometry.groups()} * kBlockSize),
      used_(geometry.groups()), cursor_(geometry.data_start(0)) {
    for (std::uint32_t group = 0; group < geometry.groups(); ++group) {
        mark(geometry.first_block(group), geometry.super_blocks(group));
        mark(geometry.block_bitmap(group), 1);
        mark(geometry.inode_bitmap(group), 1);
        mark(geometry.inode_table(group), geometry.inode_table_blocks());
    }
}

void Allocator::mark(std::uint64_t start, std::uint64_t count) {
    for (std::uint64_t block = start; block < start + count; ++block) {
        bits_[block / 8] = static_cast<std::uint8_t>(bits_[block / 8] | (1U << (block % 8)));
        ++used_[block / kBlocksPerGroup];
    }
}

Run Allocator::take(std::uint64_t wanted) {
    if (cursor_ < geometry_.blocks()) {
        const auto group = static_cast<std::uint32_t>(cursor_ / kBlocksPerGroup);
        cursor_ = std::max(cursor_, geometry_.data_start(group));
    }
    if (cursor_ >= geometry_.blocks()) {
        throw Error(
            fmt::format(
                "the file system of {} is full", format_size(geometry_.blocks() * kBlockSize)))
            .with_hint("increase the disk size, or remove it to let kiln choose");
    }
    const auto group = static_cast<std::uint32_t>(cursor_ / kBlocksPerGroup);
    const Run run{cursor_, std::min(wanted, geometry_.end_block(group) - cursor_)};
    mark(run.start, run.count);
    cursor_ += run.count;
    return run;
}

void Allocator::align(std::uint64_t blocks) {
    cursor_ = round_up(cursor_, blocks);
}

std::vector<std::byte> Allocator::bitmap(std::uint32_t group) const {
    std::vector<std::byte> out(kBlockSize);
    std::memcpy(out.data(), bits_.data() + std::size_t{group} * kBlockSize, kBlockSize);
    const std::uint64_t blocks = geometry_.end_block(group) - geometry_.first_block(group);
    for (std::uint64_t bit = blocks; bit < kBlocksPerGroup; ++bit) {
        out[bit / 8] |= std::byte{1} << (bit % 8);
    }
    return out;
}

} // namespace kiln::ext4
