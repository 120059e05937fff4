// SPDX-License-Identifier: MIT
//
// Writes gzip (RFC 1952) on several threads: members of 1 MiB each, compressed by libdeflate. All
// readers of gzip take members that follow each other as one stream.
#pragma once

#include "archive/block_compressor.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace kiln {

/// Levels 1 (fast) to 12. Bytes depend on the level and on libdeflate's version only.
class GzipSink final : public BlockCompressor {
  public:
    static constexpr std::size_t kMemberSize = std::size_t{1} << 20U;
    static constexpr int kDefaultLevel = 5;

    GzipSink(Sink& below, unsigned jobs, int level = kDefaultLevel);
};

/// The same data as a single member, for readers that may stop after the first one. The blocks of
/// the members are joined into one stream: of each, the bit that says "last block" is cleared (RFC
/// 1951, 3.2.3), and an empty block fills its last byte, as zlib's Z_SYNC_FLUSH does. Bytes depend
/// on the same as those of GzipSink, and not on the number of threads.
class SingleMemberGzipSink final : public Sink {
  public:
    /// `below` must outlive this.
    SingleMemberGzipSink(Sink& below, unsigned jobs, int level = GzipSink::kDefaultLevel);

    void write(Bytes bytes) override;
    void finish() override;

  private:
    void write_header();

    /// Passes on what the blocks became; the trailer comes before the end of the sink below.
    class Open final : public Sink {
      public:
        explicit Open(Sink& below) : below_(below) {}

        void write(Bytes bytes) override { below_.write(bytes); }

      private:
        Sink& below_;
    };

    Sink& below_;
    Open open_;
    BlockCompressor blocks_;
    std::uint32_t crc_ = 0;
    std::uint32_t size_ = 0; ///< modulo 2^32
    bool has_header_ = false;
};

/// "libdeflate 1.14": part of the keys of what this made.
[[nodiscard]] std::string_view gzip_version();

} // namespace kiln
