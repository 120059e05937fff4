// SPDX-License-Identifier: MIT
//
// The structures of a FAT file system by name (Microsoft, FAT32 File System Specification 1.03,
// "fatgen103"; all numbers little-endian). In sectors of the partition:
//
//     0             boot sector with the BIOS parameter block
//     1             FAT32: free space information (copies of both at 6 and 7)
//     reserved      first FAT, second FAT
//     then          FAT16: the root directory, 512 records of 32 bytes
//     then          clusters: contents of files and directories, FAT32's root directory as well
#pragma once

#include "base/byte_order.hpp"

#include <cstddef>
#include <cstdint>

namespace kiln {

inline constexpr std::uint32_t kInfoAt = 1;   ///< FAT32: sector of the free space information
inline constexpr std::uint32_t kBackupAt = 6; ///< FAT32: copies of boot sector and information
inline constexpr std::uint64_t kBootSignature = 0xaa55;
inline constexpr std::uint32_t kEndOfChain = 0x0fffffff;

/// The boot sector.
namespace boot_field {
inline constexpr ByteField kJump{0, 3};
inline constexpr std::size_t kOemName = 3;
inline constexpr ByteField kBytesPerSector{11, 2};
inline constexpr ByteField kSectorsPerCluster{13, 1};
inline constexpr ByteField kReservedSectors{14, 2};
inline constexpr ByteField kFats{16, 1};
inline constexpr ByteField kRootRecordsField{17, 2};
inline constexpr ByteField kSectors16{19, 2};
inline constexpr ByteField kMedia{21, 1};
inline constexpr ByteField kFatSectors16{22, 2};
inline constexpr ByteField kSectorsPerTrack{24, 2};
inline constexpr ByteField kHeads{26, 2};
inline constexpr ByteField kHiddenSectors{28, 4};
inline constexpr ByteField kSectors32{32, 4};
inline constexpr std::size_t kTailFat16 = 36; ///< where the fields of tail_field begin
inline constexpr std::size_t kTailFat32 = 64;
inline constexpr ByteField kFatSectors32{36, 4}; ///< FAT32 only, as the next three
inline constexpr ByteField kRootCluster{44, 4};
inline constexpr ByteField kInfoSector{48, 2};
inline constexpr ByteField kBackupSector{50, 2};
inline constexpr ByteField kSignature{510, 2};
} // namespace boot_field

/// The end of the BIOS parameter block, the same for FAT16 and FAT32 but for its place.
namespace tail_field {
inline constexpr ByteField kDrive{0, 1};
inline constexpr ByteField kExtendedSignature{2, 1};
inline constexpr ByteField kVolumeId{3, 4};
inline constexpr std::size_t kLabel = 7;
inline constexpr std::size_t kType = 18;
} // namespace tail_field

/// FAT32's sector of free space.
namespace info_field {
inline constexpr ByteField kLeadSignature{0, 4};
inline constexpr ByteField kStructSignature{484, 4};
inline constexpr ByteField kFreeClusters{488, 4};
inline constexpr ByteField kLastAllocated{492, 4};
inline constexpr ByteField kTrailSignature{508, 4};
} // namespace info_field

/// A record of a directory.
namespace record_field {
inline constexpr std::size_t kNameText = 0;
inline constexpr ByteField kAttributes{11, 1};
inline constexpr ByteField kCaseFlags{12, 1};
inline constexpr ByteField kCreationTime{14, 2};
inline constexpr ByteField kCreationDate{16, 2};
inline constexpr ByteField kAccessDate{18, 2};
inline constexpr ByteField kClusterHigh{20, 2};
inline constexpr ByteField kWriteTime{22, 2};
inline constexpr ByteField kWriteDate{24, 2};
inline constexpr ByteField kClusterLow{26, 2};
inline constexpr ByteField kFileSize{28, 4};
} // namespace record_field

} // namespace kiln
