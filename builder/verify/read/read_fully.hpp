// SPDX-License-Identifier: MIT
//
// Whole buffers of streams that give what they have.
#pragma once

#include "base/io/stream.hpp"

#include <cstddef>
#include <span>

namespace kiln {

/// Fills the buffer unless the source ends before; returns the number of bytes.
inline std::size_t read_fully(Source& source, std::span<std::byte> buffer) {
    std::size_t size = 0;
    while (size < buffer.size()) {
        const std::size_t count = source.read(buffer.subspan(size));
        if (count == 0) {
            break;
        }
        size += count;
    }
    return size;
}

} // namespace kiln
