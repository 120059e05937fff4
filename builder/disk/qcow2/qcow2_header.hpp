// SPDX-License-Identifier: MIT
//
// The header of a qcow2 file of unknown origin, read by kiln itself before any other program opens
// the file: a header can name files of the host (backing file, external data file) that QEMU would
// open, and ask for features that nobody needs here. docs/interop/qcow2.txt of QEMU.
//
//     offset  size  field (all big endian)
//          0     4  magic "QFI\xfb"
//          4     4  version
//          8     8  backing_file_offset, 0: none
//         16     4  backing_file_size
//         20     4  cluster_bits
//         24     8  size: the virtual size in bytes
//         32     4  crypt_method
//         36     4  l1_size, entries of 8 bytes
//         40     8  l1_table_offset
//         48     8  refcount_table_offset
//         56     4  refcount_table_clusters
//         60     4  nb_snapshots
//         64     8  snapshots_offset
//                   from version 3 on:
//         72     8  incompatible_features
//         80     8  compatible_features
//         88     8  autoclear_features
//         96     4  refcount_order
//        100     4  header_length
//     then, up to the end of the first cluster, extensions: type (4), length (4), data, padding to
//     8
#pragma once

#include "base/byte_order.hpp"
#include "base/io/stream.hpp"

#include <cstdint>
#include <string_view>

namespace kiln {

inline constexpr std::string_view kQcow2Magic = "QFI\xfb";

/// The fields above that are not zero in every image, all big-endian.
namespace qcow2_field {
inline constexpr ByteField kVersion{4, 4};
inline constexpr ByteField kClusterBits{20, 4};
inline constexpr ByteField kVirtualSize{24, 8};
inline constexpr ByteField kL1Entries{36, 4};
inline constexpr ByteField kL1Offset{40, 8};
inline constexpr ByteField kRefcountTableOffset{48, 8};
inline constexpr ByteField kRefcountTableClusters{56, 4};
inline constexpr ByteField kRefcountOrder{96, 4}; ///< a refcount has 2 to the power of this bits
inline constexpr ByteField kHeaderLength{100, 4};
} // namespace qcow2_field

/// Bytes of a header of version 3 without further fields.
inline constexpr std::uint64_t kQcow2HeaderLength = 104;

/// Above any disk that a cloud gives out; QEMU itself would go further.
inline constexpr std::uint64_t kMaxVirtualSize = std::uint64_t{64} << 40U;

struct Qcow2Header {
    std::uint32_t version = 0;
    std::uint32_t cluster_bits = 0;
    std::uint64_t virtual_size = 0;
    std::uint32_t snapshots = 0;
};

/// Reads the beginning of a file: its first 2 MiB (the largest cluster), or all when it is shorter.
/// `file_size` is the whole file's. `name` is what messages call it. Throws Error "'NAME' ..." when
/// it is malformed, refers to another file, is encrypted, marked as corrupt, or uses features that
/// are not known.
[[nodiscard]] Qcow2Header
parse_qcow2_header(Bytes head, std::uint64_t file_size, std::string_view name);

} // namespace kiln
