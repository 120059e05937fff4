// SPDX-License-Identifier: MIT
//
// Any bytes as the beginning of a qcow2 file: refused, or a header whose numbers are within limits
// and that names no other file.
#include "disk/qcow2/qcow2_header.hpp"
#include "fuzz/own_errors.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace kiln {
namespace {

std::uint64_t number(Bytes bytes, std::size_t at, std::size_t size) {
    std::uint64_t value = 0;
    for (const std::byte byte : bytes.subspan(at, size)) {
        value = value << 8U | std::to_integer<std::uint64_t>(byte);
    }
    return value;
}

/// What QEMU would open: read here once more, as docs/interop/qcow2.txt has it.
void check_references(Bytes bytes, const Qcow2Header& header) {
    constexpr std::uint64_t kExternalData = 4;
    KILN_CHECK(number(bytes, 8, 8) == 0);  // backing file
    KILN_CHECK(number(bytes, 32, 4) == 0); // encryption
    KILN_CHECK(header.version == 2 || (number(bytes, 72, 8) & kExternalData) == 0);
    std::size_t at = header.version == 2 ? 72 : number(bytes, 100, 4);
    const std::size_t end = std::min(bytes.size(), std::size_t{1} << header.cluster_bits);
    while (at + 8 <= end && number(bytes, at, 4) != 0) {
        KILN_CHECK(number(bytes, at, 4) != 0x44415441); // external data file
        KILN_CHECK(number(bytes, at, 4) != 0xe2792aca); // backing format
        at += 8 + (number(bytes, at + 4, 4) + 7) / 8 * 8;
    }
}

/// The magic is put there: else few inputs would get past it. The file is larger than what is read
/// of it.
void check_one(std::vector<std::byte> bytes) {
    const Bytes magic = as_byte_span(kQcow2Magic);
    if (bytes.size() >= magic.size()) {
        std::copy(magic.begin(), magic.end(), bytes.begin());
    }
    test::accept_refusals([&] {
        const Qcow2Header header = parse_qcow2_header(bytes, std::uint64_t{1} << 40U, "input");
        KILN_CHECK(header.version == 2 || header.version == 3);
        KILN_CHECK(header.virtual_size <= kMaxVirtualSize);
        KILN_CHECK(header.cluster_bits >= 9 && header.cluster_bits <= 21);
        check_references(bytes, header);
    });
}

} // namespace
} // namespace kiln

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const kiln::Bytes given = std::as_bytes(std::span(data, size));
    kiln::check_one({given.begin(), given.end()});
    return 0;
}
