// SPDX-License-Identifier: MIT
#include "base/io/stream.hpp"

#include "base/interrupt.hpp"

#include <algorithm>
#include <memory>

namespace kiln {

void LimitedSink::write(Bytes bytes) {
    if (bytes.size() > limit_ - text_.size()) {
        throw Error(too_large_);
    }
    text_ += as_text(bytes);
}

std::size_t MemorySource::read(std::span<std::byte> buffer) {
    const std::size_t count = std::min(buffer.size(), rest_.size());
    std::copy_n(rest_.begin(), count, buffer.begin());
    rest_ = rest_.subspan(count);
    return count;
}

std::uint64_t copy(Source& from, Sink& to) {
    constexpr std::size_t kBufferSize = std::size_t{256} << 10U;
    // Not zeroed: trees consist of many small files.
    const auto memory = std::make_unique_for_overwrite<std::byte[]>(kBufferSize);
    const std::span<std::byte> buffer(memory.get(), kBufferSize);
    std::uint64_t total = 0;
    while (const std::size_t count = from.read(buffer)) {
        throw_if_interrupted();
        to.write(buffer.first(count));
        total += count;
    }
    return total;
}

} // namespace kiln
