// SPDX-License-Identifier: MIT
//
// Writes zstd (RFC 8878) on several threads: independent frames of 4 MiB each, every one with its
// size and checksum. All readers of zstd take frames that follow each other as one stream.
#pragma once

#include "archive/block_compressor.hpp"

#include <string>

namespace kiln {

/// Levels 1 to 19. REPRO: every frame is made by the single-threaded encoder, whose output does not
/// depend on a number of workers.
class ZstdSink final : public BlockCompressor {
  public:
    static constexpr std::size_t kFrameSize = std::size_t{4} << 20U;
    static constexpr int kDefaultLevel = 3;

    ZstdSink(Sink& below, unsigned jobs, int level = kDefaultLevel);
};

/// "zstd 1.5.4": part of the keys of what this made.
[[nodiscard]] std::string zstd_version();

} // namespace kiln
