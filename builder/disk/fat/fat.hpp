// SPDX-License-Identifier: MIT
//
// Writes a small FAT file system (an EFI system partition, a seed drive) from a file tree;
// everything that the format stores is set from data. Judged by fsck.fat in the tests.
#pragma once

#include "tree/file_tree.hpp"

#include <cstdint>
#include <string>

namespace kiln {

struct FatOptions {
    std::uint32_t volume_id = 0;
    std::string label;      ///< at most 11 characters of A-Z, 0-9, '-', '_' and space; may be empty
    std::int64_t epoch = 0; ///< time of the label
    /// Sectors before the partition on the disk, for the boot sector's "hidden sectors".
    std::uint32_t hidden_sectors = 0;
    /// Names that are not of the 8.3 form get long-name records (VFAT); otherwise they are refused,
    /// since firmware need not read such records.
    bool long_names = false;
};

/// Smallest partition that write_fat() takes, and where it goes over from FAT16 to FAT32.
constexpr std::uint64_t kLeastFatBytes = std::uint64_t{5} << 20;
constexpr std::uint64_t kLeastFat32Bytes = std::uint64_t{64} << 20;

/// Writes `size` bytes at `offset` of `fd`, a range that reads as zeros. Directories and regular
/// files only; modes and owners are lost. Times are stored as UTC, in steps of 2 s, not before
/// 1980. Throws Error when a name is not 8.3 (each part in one case) and long names are not asked
/// for or do not help, when the tree holds anything else than files and directories, or when it
/// does not fit.
void write_fat(
    const FileTree& tree,
    const FatOptions& options,
    int fd,
    std::uint64_t offset,
    std::uint64_t size);

} // namespace kiln
