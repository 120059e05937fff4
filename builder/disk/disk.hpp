// SPDX-License-Identifier: MIT
//
// Writes a bootable GPT disk as a sparse raw file: BIOS boot partition with GRUB, optional EFI
// system partition, ext4 root as the last partition so that it can grow at first boot.
#pragma once

#include "base/io/digest.hpp"
#include "disk/ext4/ext4.hpp"
#include "tree/file_tree.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace kiln {

using Guid = std::array<std::uint8_t, 16>;

/// All identifiers of a disk. UUIDs are in RFC 4122 byte order, ready for format_uuid().
/// REPRO: derived from the seed alone, so that fstab and grub.cfg can name them beforehand.
struct DiskIdentity {
    Guid disk{};
    Guid bios_partition{};
    Guid esp_partition{};
    Guid root_partition{};
    Guid root_file_system{};
    Guid root_hash_seed{};
    std::uint32_t esp_volume_id = 0;
};

[[nodiscard]] DiskIdentity disk_identity(const Digest& seed);
/// "1234-ABCD", as /etc/fstab names a FAT file system.
[[nodiscard]] std::string format_volume_id(std::uint32_t id);

struct DiskOptions {
    Digest seed;
    std::int64_t epoch = 0; ///< times of the file systems themselves
    /// GRUB's boot.img (512 bytes) and core.img (diskboot.img first). Both empty: no code for BIOS,
    /// but the partition for it is there.
    std::string boot_img;
    std::string core_img;
    std::uint64_t esp_bytes = 0; ///< a multiple of 1 MiB; 0: no EFI system partition
    FileTree esp;                ///< 8.3 names, see write_fat()
    std::string root_label;
    std::uint64_t root_free_bytes = 0; ///< room left in the root file system
    std::uint64_t root_bytes = 0; ///< size of the root partition; 0: the smallest (ext4_size())
};

struct DiskPartition {
    std::uint32_t number = 0;
    std::string name;
    std::string type_guid; ///< lower-case text form
    std::string guid;
    std::uint64_t start = 0; ///< bytes
    std::uint64_t size = 0;  ///< bytes
};

struct DiskLayout {
    std::uint64_t size_bytes = 0;
    std::vector<DiskPartition> partitions; ///< in the order of their numbers and places
};

/// Where everything will lie. Throws Error when an option is impossible.
[[nodiscard]] DiskLayout plan_disk(const FileTree& root, const DiskOptions& options);

/// Writes to a new file at `raw_path`, replacing one that exists; it appears only when complete.
/// Ranges that hold zeros are holes. `progress` counts bytes of the root's files.
DiskLayout write_disk(
    const FileTree& root,
    const DiskOptions& options,
    const std::filesystem::path& raw_path,
    const ByteProgress& progress);

/// The root file system of such a disk alone, in a new sparse file: the same clusters as the disk's
/// at other places.
void write_disk_root(
    const FileTree& root, const DiskOptions& options, const std::filesystem::path& path);

} // namespace kiln
