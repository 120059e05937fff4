// SPDX-License-Identifier: MIT
#include "disk/gpt.hpp"

#include "base/byte_order.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstring>

namespace kiln {

namespace {

constexpr std::size_t kEntries = 128;
constexpr std::size_t kEntrySize = 128;
constexpr std::size_t kTableSize = kEntries * kEntrySize;
constexpr std::uint64_t kTableSectors = kTableSize / kSectorSize;
constexpr std::size_t kHeaderSize = 92;

/// The first three fields of a GUID are little-endian on disk.
void put_guid(std::span<std::byte> out, std::size_t at, const std::array<std::uint8_t, 16>& guid) {
    constexpr std::array<std::size_t, 16> kOrder{
        3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    for (std::size_t i = 0; i < guid.size(); ++i) {
        out[at + i] = static_cast<std::byte>(guid[kOrder[i]]);
    }
}

std::uint32_t crc32_of(Bytes bytes) {
    return static_cast<std::uint32_t>(::crc32(
        0,
        reinterpret_cast<const unsigned char*>(bytes.data()),
        static_cast<unsigned>(bytes.size())));
}

std::vector<std::byte> make_table(std::span<const GptPartition> partitions) {
    KILN_CHECK(partitions.size() <= kEntries);
    std::vector<std::byte> table(kTableSize);
    auto entry = std::span(table);
    for (const GptPartition& partition : partitions) {
        constexpr std::size_t kNameAt = 56;
        constexpr std::size_t kNameUnits = 36;
        KILN_CHECK(partition.name.size() <= kNameUnits);
        put_guid(entry, 0, partition.type);
        put_guid(entry, 16, partition.guid);
        put_le(entry, 32, partition.first, 8);
        put_le(entry, 40, partition.last, 8);
        for (std::size_t i = 0; i < partition.name.size(); ++i) {
            put_le(entry, kNameAt + 2 * i, static_cast<unsigned char>(partition.name[i]), 2);
        }
        entry = entry.subspan(kEntrySize);
    }
    return table;
}

/// Places of one of the two headers.
struct HeaderPlaces {
    std::uint64_t self = 0;
    std::uint64_t other = 0;
    std::uint64_t table = 0;
};

void put_header(
    std::span<std::byte> out,
    const HeaderPlaces& places,
    const std::array<std::uint8_t, 16>& disk_guid,
    Bytes table) {
    const std::uint64_t last_sector = std::max(places.self, places.other);
    std::memcpy(out.data(), "EFI PART", 8);
    put_le(out, 8, 0x00010000, 4);
    put_le(out, 12, kHeaderSize, 4);
    put_le(out, 24, places.self, 8);
    put_le(out, 32, places.other, 8);
    put_le(out, 40, 2 + kTableSectors, 8);
    put_le(out, 48, last_sector - kTableSectors - 1, 8);
    put_guid(out, 56, disk_guid);
    put_le(out, 72, places.table, 8);
    put_le(out, 80, kEntries, 4);
    put_le(out, 84, kEntrySize, 4);
    put_le(out, 88, crc32_of(table), 4);
    put_le(out, 16, crc32_of(out.first(kHeaderSize)), 4);
}

void put_protective_mbr(std::span<std::byte> out, std::uint64_t disk_sectors) {
    constexpr std::size_t kFirstRecord = 446;
    auto record = out.subspan(kFirstRecord, 16);
    put_le(record, 1, 0x000200, 3); // first sector as cylinder, head, sector
    put_le(record, 4, 0xee, 1);
    put_le(record, 5, 0xffffff, 3);
    put_le(record, 8, 1, 4);
    put_le(record, 12, std::min<std::uint64_t>(disk_sectors - 1, 0xffffffff), 4);
    put_le(out, 510, 0xaa55, 2);
}

} // namespace

GptImage make_gpt(
    const std::array<std::uint8_t, 16>& disk_guid,
    std::uint64_t disk_sectors,
    std::span<const GptPartition> partitions) {
    const auto table = make_table(partitions);
    const std::uint64_t last = disk_sectors - 1;
    GptImage image;
    image.front.resize((2 + kTableSectors) * kSectorSize);
    image.back.resize((1 + kTableSectors) * kSectorSize);
    const auto front = std::span(image.front);
    const auto back = std::span(image.back);
    put_protective_mbr(front.first(kSectorSize), disk_sectors);
    put_header(front.subspan(kSectorSize, kSectorSize), {1, last, 2}, disk_guid, table);
    std::ranges::copy(table, front.subspan(2 * kSectorSize).begin());
    std::ranges::copy(table, back.begin());
    put_header(back.last(kSectorSize), {last, 1, last - kTableSectors}, disk_guid, table);
    return image;
}

std::array<std::uint8_t, 16> parse_guid(std::string_view text) {
    std::string digits(text);
    std::erase(digits, '-');
    std::array<std::uint8_t, 16> out{};
    KILN_CHECK(digits.size() == 2 * out.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto value = parse_unsigned(std::string_view(digits).substr(2 * i, 2), 16);
        KILN_CHECK(value.has_value());
        out[i] = static_cast<std::uint8_t>(*value);
    }
    return out;
}

} // namespace kiln
