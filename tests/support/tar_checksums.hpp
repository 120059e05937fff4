// SPDX-License-Identifier: MIT
//
// What a fuzzer of tar archives needs to get past the headers' checksums.
#pragma once

#include "base/io/stream.hpp"

#include <algorithm>
#include <cstddef>
#include <span>

namespace kiln::test {

/// Sets the checksum of every block that looks like a header: else no mutation of one would get
/// past it. Layout: POSIX.1-2017, pax, "ustar Interchange Format".
inline void repair_tar_checksums(std::span<std::byte> bytes) {
    constexpr std::size_t kBlock = 512;
    constexpr std::size_t kChecksum = 148;
    constexpr std::size_t kMagic = 257;
    for (std::size_t at = 0; at + kBlock <= bytes.size(); at += kBlock) {
        const std::span<std::byte> header = bytes.subspan(at, kBlock);
        if (!as_text(header).substr(kMagic).starts_with("ustar")) {
            continue;
        }
        std::fill_n(header.begin() + kChecksum, 8, std::byte{' '});
        unsigned sum = 0;
        for (const std::byte byte : header) {
            sum += std::to_integer<unsigned>(byte);
        }
        for (std::size_t i = 0; i < 6; ++i) {
            header[kChecksum + 5 - i] = static_cast<std::byte>('0' + (sum >> (3 * i) & 7U));
        }
        header[kChecksum + 6] = std::byte{0};
    }
}

} // namespace kiln::test
