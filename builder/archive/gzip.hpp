// SPDX-License-Identifier: MIT
//
// Writes gzip (RFC 1952) on several threads: members of 1 MiB each, compressed by libdeflate. All
// readers of gzip take members that follow each other as one stream.
#pragma once

#include "archive/block_compressor.hpp"

namespace kiln {

/// Levels 1 (fast) to 12. Bytes depend on the level and on libdeflate's version only.
class GzipSink final : public BlockCompressor {
  public:
    static constexpr std::size_t kMemberSize = std::size_t{1} << 20U;
    static constexpr int kDefaultLevel = 5;

    GzipSink(Sink& below, unsigned jobs, int level = kDefaultLevel);
};

/// "libdeflate 1.14": part of the keys of what this made.
[[nodiscard]] std::string_view gzip_version();

} // namespace kiln
