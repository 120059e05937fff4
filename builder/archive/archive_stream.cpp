// SPDX-License-Identifier: MIT
#include "archive/archive_stream.hpp"

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace kiln {

ArchiveStream::ArchiveStream(Source& source, std::string name)
    : source_(source), name_(std::move(name)), archive_(archive_read_new()), buffer_(kBufferSize) {
    KILN_CHECK(archive_ != nullptr);
}

void ArchiveStream::support_filters() {
    require(archive_read_support_filter_gzip(get()));
    require(archive_read_support_filter_bzip2(get()));
    require(archive_read_support_filter_xz(get()));
    require(archive_read_support_filter_zstd(get()));
}

void ArchiveStream::require(int status) {
    if (error_) {
        std::rethrow_exception(error_);
    }
    if (status != ARCHIVE_OK) {
        throw Error(fmt::format("archive '{}' {}", printable(name_), fault_of(status)));
    }
}

/// libarchive's own words are of its insides, and change from version to version.
std::string_view ArchiveStream::fault_of(int status) const {
    if (archive_errno(get()) == ENOMEM) {
        return "needs more memory to be read than there is";
    }
    if (status == ARCHIVE_WARN) {
        return "has a malformed header";
    }
    // The header that could not be read is counted.
    return archive_file_count(get()) <= 1 ? "is not an archive that kiln can read, or is damaged"
                                          : "is damaged or truncated";
}

std::size_t ArchiveStream::take() {
    const std::size_t count = source_.read(buffer_);
    taken_ += count;
    header_bytes_ += count;
    if (header_limit_ != UINT64_MAX && header_bytes_ > header_limit_ + kBufferSize) {
        throw Error(fmt::format(
            "archive '{}' has a member whose header is larger than {}",
            printable(name_),
            format_size(header_limit_)));
    }
    return count;
}

la_ssize_t ArchiveStream::read_callback(archive* handle, void* self, const void** data) {
    auto& stream = *static_cast<ArchiveStream*>(self);
    try {
        throw_if_interrupted();
        *data = stream.buffer_.data();
        return static_cast<la_ssize_t>(stream.take());
    } catch (...) {
        stream.error_ = std::current_exception();
        archive_set_error(handle, EIO, "reading the input failed");
        return ARCHIVE_FATAL;
    }
}

std::size_t BlockSource::read(std::span<std::byte> buffer) {
    while (block_.empty() && !ended_) {
        next_block();
    }
    std::size_t count = buffer.size();
    if (ended_ || position_ < block_offset_) {
        const std::uint64_t end = ended_ ? size_ : block_offset_;
        count = static_cast<std::size_t>(
            std::min<std::uint64_t>(count, end - std::min(end, position_)));
        std::fill_n(buffer.begin(), count, std::byte{0});
    } else {
        count = std::min(count, block_.size());
        std::copy_n(block_.begin(), count, buffer.begin());
        block_ = block_.subspan(count);
        block_offset_ += count;
    }
    position_ += count;
    account(count);
    return count;
}

void BlockSource::account(std::size_t count) {
    guard_.add_in(stream_.taken() - accounted_);
    accounted_ = stream_.taken();
    guard_.add_out(count);
    if (budget_ != nullptr) {
        budget_->add_content(stream_.name(), count);
    }
}

void BlockSource::next_block() {
    const void* data = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int status = archive_read_data_block(stream_.get(), &data, &size, &offset);
    if (status == ARCHIVE_EOF) {
        ended_ = true;
        if (unbounded_) {
            size_ = position_;
        }
        return;
    }
    stream_.require(status);
    block_ = Bytes(static_cast<const std::byte*>(data), size);
    block_offset_ = static_cast<std::uint64_t>(offset);
    if (block_offset_ < position_ || (!unbounded_ && block_offset_ + size > size_)) {
        throw Error(fmt::format(
            "archive '{}' is damaged: its data blocks are out of order",
            printable(stream_.name())));
    }
}

} // namespace kiln
