// SPDX-License-Identifier: MIT
//
// libarchive between a Source that it reads and a Source of what it found: the machinery of
// archive_reader.hpp, not for others.
#pragma once

#include "archive/archive_limits.hpp"
#include "base/handle.hpp"
#include "base/io/stream.hpp"

#include <archive.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

using ArchiveHandle = Handle<archive, archive_read_free>;

/// A libarchive reader over a Source; exceptions of the source pass through the C code.
class ArchiveStream {
  public:
    ArchiveStream(Source& source, std::string name);

    [[nodiscard]] archive* get() const noexcept { return archive_.get(); }

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    void support_filters();

    void open() { require(archive_read_open(get(), this, nullptr, read_callback, nullptr)); }

    /// From here to end_header() libarchive keeps what it reads in memory.
    void begin_header(std::uint64_t limit) {
        header_limit_ = limit;
        header_bytes_ = 0;
    }

    void end_header() { header_limit_ = UINT64_MAX; }

    /// Bytes that the source gave.
    [[nodiscard]] std::uint64_t taken() const noexcept { return taken_; }

    /// Turns anything but ARCHIVE_OK into an exception.
    void require(int status);

  private:
    static constexpr std::size_t kBufferSize = std::size_t{256} << 10U;

    std::size_t take();
    [[nodiscard]] std::string_view fault_of(int status) const;

    static la_ssize_t read_callback(archive* handle, void* self, const void** data);

    Source& source_;
    std::string name_;
    ArchiveHandle archive_;
    std::vector<std::byte> buffer_;
    std::exception_ptr error_;
    std::uint64_t taken_ = 0;
    std::uint64_t header_bytes_ = 0;
    std::uint64_t header_limit_ = UINT64_MAX;
};

/// The data blocks of the current member as one stream.
class BlockSource final : public Source {
  public:
    /// `budget` is null for what is not a member of an archive.
    BlockSource(ArchiveStream& stream, const ArchiveLimits& limits, ArchiveBudget* budget)
        : stream_(stream), guard_(limits, stream.name()), budget_(budget) {}

    /// Begins a member of `size` bytes (what a sparse member has after its last block are zeros).
    void start(std::uint64_t size) {
        size_ = size;
        position_ = 0;
        block_ = {};
        block_offset_ = 0;
        ended_ = false;
    }

    /// Begins a stream whose length is not known.
    void start_unbounded() {
        start(0);
        unbounded_ = true;
    }

    std::size_t read(std::span<std::byte> buffer) override;

  private:
    void account(std::size_t count);

    void next_block();

    ArchiveStream& stream_;
    RatioGuard guard_;
    ArchiveBudget* budget_;
    std::uint64_t accounted_ = 0; ///< of the stream's bytes
    Bytes block_;
    std::uint64_t block_offset_ = 0;
    std::uint64_t position_ = 0;
    std::uint64_t size_ = 0;
    bool ended_ = true;
    bool unbounded_ = false;
};

} // namespace kiln
