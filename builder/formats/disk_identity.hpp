// SPDX-License-Identifier: MIT
//
// The identifiers of a disk image, known before the disk is written because fstab, GRUB and the
// kernel's command line name them.
#pragma once

#include "base/digest.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace kiln {

using Uuid = std::array<std::uint8_t, 16>;

/// REPRO: derived from the seed by hashing with a purpose, never drawn and never shared by two
/// images with different seeds.
struct DiskIdentity {
    Uuid disk_guid{};
    Uuid bios_partition_guid{};
    Uuid esp_partition_guid{};
    Uuid root_partition_guid{};
    Uuid root_uuid{}; ///< of the ext4 file system
    Uuid root_hash_seed{}; ///< of its directory hashes
    std::uint32_t esp_volume_id = 0; ///< of the FAT file system

    [[nodiscard]] std::string root_uuid_text() const { return format_uuid(root_uuid); }
    /// "1A2B-3C4D", as blkid(8) and fstab(5) have it.
    [[nodiscard]] std::string esp_volume_id_text() const;
};

[[nodiscard]] DiskIdentity disk_identity(const Digest& seed);

} // namespace kiln
