// SPDX-License-Identifier: MIT
//
// Superblock, group descriptors, bitmaps, inode tables, journal and the resize inode of an ext4
// file system: everything that is not the user's own.
#pragma once

#include "disk/ext4/ext4.hpp"
#include "disk/ext4/ext4_inode.hpp"

#include <functional>
#include <vector>

namespace kiln::ext4 {

/// All inodes in use: `inodes[0]` is number 1.
struct InodeUse {
    std::vector<Inode> inodes;

    [[nodiscard]] Inode& at(std::uint32_t number) { return inodes.at(number - 1); }

    [[nodiscard]] const Inode& at(std::uint32_t number) const { return inodes.at(number - 1); }
};

/// What the last step needs to know.
struct Metadata {
    const Geometry& geometry;
    const Allocator& allocator;
    const Checksums& checksums;
    const Ext4Options& options;
    const InodeUse& inodes;
};

/// A file of the file system's own: regular, mode 0600, owned by root.
[[nodiscard]] Inode system_file(std::int64_t epoch);

/// Puts an empty journal in front of the data; returns its first block.
[[nodiscard]] std::uint64_t write_journal(
    Inode& inode, const Geometry& geometry, const Ext4Options& options, Allocator& allocator);

/// The journal's first block, once its place is known.
[[nodiscard]] std::vector<std::byte>
journal_superblock(const Geometry& geometry, const Ext4Options& options);

/// The inode that owns the blocks reserved for further group descriptors; without it the kernel
/// cannot grow a mounted file system.
void write_resize_inode(
    Inode& inode, const Geometry& geometry, Allocator& allocator, const BlockSink& sink);

/// Writes inode tables, bitmaps, descriptors and superblocks (backups as well).
void write_metadata(const Metadata& metadata, const BlockSink& sink);

} // namespace kiln::ext4
