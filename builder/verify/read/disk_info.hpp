// SPDX-License-Identifier: MIT
//
// What a disk image is made of, as values: partition table and file systems. And the readers of the
// two tools' outputs that say so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

struct FilesystemInfo {
    std::string type = {}; ///< as blkid calls it: "ext4", "vfat", "LVM2_member", ...
    std::string label = {};
    std::string uuid = {};
    bool operator==(const FilesystemInfo&) const = default;
};

struct PartitionInfo {
    int number = 0; ///< from 1
    std::uint64_t start_bytes = 0;
    std::uint64_t size_bytes = 0;
    std::string type = {}; ///< GPT: the type's GUID in upper case; MBR: two hex digits
    std::string guid = {}; ///< GPT only, upper case
    std::string name = {}; ///< GPT only
    std::optional<FilesystemInfo> filesystem = {};
    bool operator==(const PartitionInfo&) const = default;
};

struct DiskInfo {
    std::uint64_t size_bytes = 0;
    std::string table = {}; ///< "gpt", "dos", or empty when the disk has no partition table
    std::string guid = {};  ///< the GPT's GUID or the MBR's identifier
    std::uint64_t last_usable_bytes = 0; ///< GPT only: where partitions must have ended
    std::vector<PartitionInfo> partitions = {};
    std::optional<FilesystemInfo> filesystem = {}; ///< of a disk without a partition table
    bool operator==(const DiskInfo&) const = default;
};

/// Reads the output of `sfdisk --json`. Throws Error when it is none.
[[nodiscard]] DiskInfo parse_sfdisk_json(std::string_view json);

/// Whether the disk was made larger and its GPT does not know yet: the backup table is not at the
/// end. Systems repair that when they grow their root.
[[nodiscard]] bool is_gpt_short(const DiskInfo& disk);

/// Adds file systems from the output of `blkid -p -o export`: paragraphs of KEY=VALUE lines, those
/// of partitions with PART_ENTRY_NUMBER.
void add_blkid_export(std::string_view text, DiskInfo& disk);

/// Words for the GPT and MBR types that occur on bootable disks ("EFI system"); else empty.
[[nodiscard]] std::string_view partition_type_name(std::string_view type);

} // namespace kiln
