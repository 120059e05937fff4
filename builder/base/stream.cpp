// SPDX-License-Identifier: MIT
#include "base/stream.hpp"

#include <algorithm>

namespace kiln {

std::size_t MemorySource::read(std::span<std::byte> buffer) {
    const std::size_t count = std::min(buffer.size(), rest_.size());
    std::copy_n(rest_.begin(), count, buffer.begin());
    rest_ = rest_.subspan(count);
    return count;
}

std::uint64_t copy(Source& from, Sink& to) {
    constexpr std::size_t kBufferSize = 256 * 1024;
    std::vector<std::byte> buffer(kBufferSize);
    std::uint64_t total = 0;
    while (const std::size_t count = from.read(buffer)) {
        to.write(std::span(buffer).first(count));
        total += count;
    }
    return total;
}

} // namespace kiln
