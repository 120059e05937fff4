// SPDX-License-Identifier: MIT
//
// Numbers of a stated width and byte order, in buffers of on-disk structures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace kiln {

/// A number in an on-disk structure: where it begins and how many bytes (at most 8) it has.
struct ByteField {
    std::size_t at = 0;
    std::size_t size = 0;
};

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

inline void put_le(std::span<std::byte> out, ByteField field, std::uint64_t value) {
    put_le(out, field.at, value, field.size);
}

inline void put_be(std::span<std::byte> out, ByteField field, std::uint64_t value) {
    put_be(out, field.at, value, field.size);
}

/// `size` bytes, at most 8, least significant first.
[[nodiscard]] inline std::uint64_t
get_le(std::span<const std::byte> in, std::size_t at, std::size_t size) {
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;) {
        value = value << 8U | std::to_integer<std::uint64_t>(in[at + i]);
    }
    return value;
}

/// `size` bytes, at most 8, most significant first.
[[nodiscard]] inline std::uint64_t
get_be(std::span<const std::byte> in, std::size_t at, std::size_t size) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
        value = value << 8U | std::to_integer<std::uint64_t>(in[at + i]);
    }
    return value;
}

} // namespace kiln
