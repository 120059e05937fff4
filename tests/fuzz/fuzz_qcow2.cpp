// SPDX-License-Identifier: MIT
//
// Any bytes as the beginning of a qcow2 file: refused, or a header whose numbers are within limits
// and that names no other file.
#include "base/error.hpp"
#include "formats/qcow2_header.hpp"

#include <cstdint>

namespace kiln {
namespace {

/// The magic is put there: else few inputs would get past it.
void check_one(std::vector<std::byte> bytes) {
    const Bytes magic = as_byte_span(kQcow2Magic);
    if (bytes.size() >= magic.size()) {
        std::copy(magic.begin(), magic.end(), bytes.begin());
    }
    try {
        const Qcow2Header header = parse_qcow2_header(bytes, bytes.size(), "input");
        KILN_CHECK(header.version == 2 || header.version == 3);
        KILN_CHECK(header.virtual_size <= kMaxVirtualSize);
        KILN_CHECK(header.cluster_bits >= 9 && header.cluster_bits <= 21);
        constexpr std::size_t kBackingOffset = 8;
        constexpr std::size_t kOffsetSize = 8;
        for (std::size_t i = 0; i < kOffsetSize; ++i) {
            KILN_CHECK(bytes.at(kBackingOffset + i) == std::byte{0});
        }
    } catch (const Error& error) {
        if (error.exit_code() == ExitCode::bug) {
            throw;
        }
    }
}

} // namespace
} // namespace kiln

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const kiln::Bytes given = std::as_bytes(std::span(data, size));
    kiln::check_one({given.begin(), given.end()});
    return 0;
}
