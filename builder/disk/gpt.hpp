// SPDX-License-Identifier: MIT
//
// GUID partition tables (UEFI specification 2.10, chapter 5) with every field given, and the
// protective MBR in front of them.
#pragma once

#include "base/io/stream.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace kiln {

constexpr std::uint64_t kSectorSize = 512;

struct GptPartition {
    /// In RFC 4122 byte order; the table's mixed-endian form is made on writing.
    std::array<std::uint8_t, 16> type{};
    std::array<std::uint8_t, 16> guid{};
    std::string name;        ///< ASCII, at most 36 characters
    std::uint64_t first = 0; ///< sector
    std::uint64_t last = 0;  ///< sector, inclusive
};

struct GptImage {
    /// Sectors 0 to 33: protective MBR (its first 440 bytes zero), header, entries.
    std::vector<std::byte> front;
    /// The last 33 sectors of the disk: entries, header.
    std::vector<std::byte> back;
};

[[nodiscard]] GptImage make_gpt(
    const std::array<std::uint8_t, 16>& disk_guid,
    std::uint64_t disk_sectors,
    std::span<const GptPartition> partitions);

/// Parses the 8-4-4-4-12 form of a constant in kiln's own code.
[[nodiscard]] std::array<std::uint8_t, 16> parse_guid(std::string_view text);

} // namespace kiln
