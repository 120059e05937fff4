// SPDX-License-Identifier: MIT
#include "disk/gpt.hpp"

#include "base/byte_order.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

#include <zlib.h>

#include <algorithm>
#include <string_view>

namespace kiln {

namespace {

constexpr std::size_t kEntries = 128;
constexpr std::size_t kEntrySize = 128;
constexpr std::size_t kTableSize = kEntries * kEntrySize;
constexpr std::uint64_t kTableSectors = kTableSize / kSectorSize;
constexpr std::size_t kHeaderSize = 92;

// A disk of N sectors, both tables of 128 entries (UEFI specification 2.10, section 5.3):
//     sector 0           protective MBR
//     sector 1           header
//     sectors 2 to 33    table of partitions
//     sectors 34 to N-34 partitions
//     sectors N-33 to N-2  the same table
//     sector N-1         header with `self` and `other` the other way round

/// The header, table 5.5.
namespace header {
constexpr std::string_view kSignature = "EFI PART";
constexpr ByteField kRevision{8, 4};
constexpr ByteField kSize{12, 4};
constexpr ByteField kChecksum{16, 4}; ///< of the header, with zeros in this field
constexpr ByteField kSelf{24, 8};     ///< sector of this header
constexpr ByteField kOther{32, 8};    ///< sector of the other one
constexpr ByteField kFirstUsable{40, 8};
constexpr ByteField kLastUsable{48, 8};
constexpr std::size_t kDiskGuid = 56;
constexpr ByteField kTable{72, 8}; ///< first sector of the table
constexpr ByteField kTableEntries{80, 4};
constexpr ByteField kTableEntrySize{84, 4};
constexpr ByteField kTableChecksum{88, 4};
constexpr std::uint64_t kRevision1 = 0x00010000;
} // namespace header

/// An entry of the table, table 5.6.
namespace entry {
constexpr std::size_t kTypeGuid = 0;
constexpr std::size_t kGuid = 16;
constexpr ByteField kFirst{32, 8}; ///< sectors, both inclusive
constexpr ByteField kLast{40, 8};
constexpr std::size_t kName = 56; ///< UTF-16, little-endian
constexpr std::size_t kNameUnits = 36;
} // namespace entry

/// The protective MBR, tables 5.3 and 5.4: one partition of type 0xEE over the whole disk.
namespace mbr {
constexpr std::size_t kFirstRecord = 446;
constexpr std::size_t kRecordSize = 16;
constexpr ByteField kSignature{510, 2};
constexpr ByteField kStartAddress{1, 3}; ///< as cylinder, head and sector
constexpr ByteField kType{4, 1};
constexpr ByteField kEndAddress{5, 3};
constexpr ByteField kStart{8, 4}; ///< as a number of sectors
constexpr ByteField kSectors{12, 4};
constexpr std::uint64_t kSignatureValue = 0xaa55;
constexpr std::uint64_t kSectorOne = 0x000200;
constexpr std::uint64_t kBeyondAddresses = 0xffffff;
constexpr std::uint64_t kProtective = 0xee;
} // namespace mbr

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
    auto out = std::span(table);
    for (const GptPartition& partition : partitions) {
        KILN_CHECK(partition.name.size() <= entry::kNameUnits);
        put_guid(out, entry::kTypeGuid, partition.type);
        put_guid(out, entry::kGuid, partition.guid);
        put_le(out, entry::kFirst, partition.first);
        put_le(out, entry::kLast, partition.last);
        for (std::size_t i = 0; i < partition.name.size(); ++i) {
            put_le(out, entry::kName + 2 * i, static_cast<unsigned char>(partition.name[i]), 2);
        }
        out = out.subspan(kEntrySize);
    }
    return table;
}

/// Places of one of the two headers.
struct HeaderSectors {
    std::uint64_t self = 0;
    std::uint64_t other = 0;
    std::uint64_t table = 0;
};

void put_header(
    std::span<std::byte> out,
    const HeaderSectors& sectors,
    const std::array<std::uint8_t, 16>& disk_guid,
    Bytes table) {
    const std::uint64_t last_sector = std::max(sectors.self, sectors.other);
    std::ranges::copy(as_byte_span(header::kSignature), out.begin());
    put_le(out, header::kRevision, header::kRevision1);
    put_le(out, header::kSize, kHeaderSize);
    put_le(out, header::kSelf, sectors.self);
    put_le(out, header::kOther, sectors.other);
    put_le(out, header::kFirstUsable, 2 + kTableSectors);
    put_le(out, header::kLastUsable, last_sector - kTableSectors - 1);
    put_guid(out, header::kDiskGuid, disk_guid);
    put_le(out, header::kTable, sectors.table);
    put_le(out, header::kTableEntries, kEntries);
    put_le(out, header::kTableEntrySize, kEntrySize);
    put_le(out, header::kTableChecksum, crc32_of(table));
    put_le(out, header::kChecksum, crc32_of(out.first(kHeaderSize)));
}

void put_protective_mbr(std::span<std::byte> out, std::uint64_t disk_sectors) {
    auto record = out.subspan(mbr::kFirstRecord, mbr::kRecordSize);
    put_le(record, mbr::kStartAddress, mbr::kSectorOne);
    put_le(record, mbr::kType, mbr::kProtective);
    put_le(record, mbr::kEndAddress, mbr::kBeyondAddresses);
    put_le(record, mbr::kStart, 1);
    put_le(record, mbr::kSectors, std::min<std::uint64_t>(disk_sectors - 1, 0xffffffff));
    put_le(out, mbr::kSignature, mbr::kSignatureValue);
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
