// SPDX-License-Identifier: MIT
#include "disk/ext4/ext4_content.hpp"

#include "base/error.hpp"
#include "disk/ext4/ext4_layout.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace kiln::ext4 {

namespace {

constexpr std::size_t kBufferSize = 1 << 20;

bool is_zero(const std::byte* block) {
    return block[0] == std::byte{0} && std::memcmp(block, block + 1, kBlockSize - 1) == 0;
}

/// Where data may begin at or after `offset`: a block boundary, or `size`.
std::uint64_t next_data(int fd, std::uint64_t offset, std::uint64_t size) {
    const off_t data = ::lseek(fd, static_cast<off_t>(offset), SEEK_DATA);
    if (data < 0) {
        return errno == ENXIO ? size : offset;
    }
    return static_cast<std::uint64_t>(data) / kBlockSize * kBlockSize;
}

} // namespace

ContentReader::ContentReader() : buffer_(kBufferSize) {}

void ContentReader::pass_on(std::uint64_t offset, std::size_t size, const Taker& take) {
    const std::size_t blocks = divide_up(size, kBlockSize);
    std::fill(
        buffer_.begin() + static_cast<std::ptrdiff_t>(size),
        buffer_.begin() + static_cast<std::ptrdiff_t>(blocks * kBlockSize),
        std::byte{0});
    std::size_t i = 0;
    while (i < blocks) {
        if (is_zero(buffer_.data() + i * kBlockSize)) {
            ++i;
            continue;
        }
        const std::size_t first = i;
        while (i < blocks && !is_zero(buffer_.data() + i * kBlockSize)) {
            ++i;
        }
        take(
            offset + first * kBlockSize,
            std::span(buffer_).subspan(first * kBlockSize, (i - first) * kBlockSize));
    }
}

void ContentReader::read(std::string_view path, const Entry& entry, const Taker& take) {
    const auto check_size = [&](std::uint64_t size) {
        if (size != entry.size) {
            throw Error(fmt::format("'/{}' has {} bytes, expected {}", path, size, entry.size));
        }
    };
    if (entry.data) {
        check_size(entry.data->size());
        for (std::size_t at = 0; at < entry.size; at += kBufferSize) {
            const std::size_t size = std::min(kBufferSize, entry.data->size() - at);
            std::memcpy(buffer_.data(), entry.data->data() + at, size);
            pass_on(at, size, take);
        }
        return;
    }
    const UniqueFd fd = open_file(entry.source, O_RDONLY | O_NOFOLLOW);
    struct stat status{};
    if (::fstat(fd.get(), &status) != 0) {
        throw SystemError(fmt::format("cannot read '{}'", entry.source.string()));
    }
    const auto size = static_cast<std::uint64_t>(status.st_size);
    check_size(size);
    const bool has_holes = static_cast<std::uint64_t>(status.st_blocks) * 512 < size;
    std::uint64_t at = 0;
    while (at < size) {
        at = has_holes ? next_data(fd.get(), at, size) : at;
        const std::size_t part = std::min<std::uint64_t>(kBufferSize, size - at);
        read_exactly_at(fd.get(), std::span(buffer_).first(part), at, entry.source);
        pass_on(at, part, take);
        at += part;
    }
}

} // namespace kiln::ext4
