// SPDX-License-Identifier: MIT
//
// Numbers of a stated width and byte order, written into buffers of on-disk structures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace kiln {

/// The lowest `size` bytes of `value`, least significant first.
inline void
put_le(std::span<std::byte> out, std::size_t at, std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
        out[at + i] = static_cast<std::byte>(value >> (8 * i));
    }
}

/// The lowest `size` bytes of `value`, most significant first.
inline void
put_be(std::span<std::byte> out, std::size_t at, std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
        out[at + i] = static_cast<std::byte>(value >> (8 * (size - 1 - i)));
    }
}

} // namespace kiln
