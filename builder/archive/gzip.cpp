// SPDX-License-Identifier: MIT
#include "archive/gzip.hpp"

#include "base/error.hpp"
#include "base/handle.hpp"

#include <fmt/format.h>
#include <libdeflate.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace kiln {

namespace {

// REPRO: no time, no name, no flag for the level, and 255 ("unknown") for the operating system.
constexpr std::array<unsigned char, 10> kHeader = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff};
constexpr std::size_t kTrailerSize = 8;

void put_le32(std::byte* at, std::uint32_t value) {
    for (unsigned i = 0; i < 4; ++i) {
        at[i] = static_cast<std::byte>(value >> (8 * i) & 0xffU);
    }
}

std::vector<std::byte> compress_member(libdeflate_compressor* compressor, Bytes plain) {
    std::vector<std::byte> out(
        kHeader.size() + kTrailerSize +
        libdeflate_deflate_compress_bound(compressor, plain.size()));
    std::transform(kHeader.begin(), kHeader.end(), out.begin(), [](unsigned char c) {
        return static_cast<std::byte>(c);
    });
    const std::size_t size = libdeflate_deflate_compress(
        compressor,
        plain.data(),
        plain.size(),
        out.data() + kHeader.size(),
        out.size() - kHeader.size() - kTrailerSize);
    KILN_CHECK(size != 0);
    std::byte* trailer = out.data() + kHeader.size() + size;
    put_le32(trailer, libdeflate_crc32(0, plain.data(), plain.size()));
    put_le32(trailer + 4, static_cast<std::uint32_t>(plain.size()));
    out.resize(kHeader.size() + size + kTrailerSize);
    return out;
}

using Compressor = std::shared_ptr<libdeflate_compressor>;

Compressor open_compressor(int level) {
    Compressor out(libdeflate_alloc_compressor(level), libdeflate_free_compressor);
    if (!out) {
        throw Error(fmt::format("invalid gzip compression level {}", level))
            .with_hint("valid levels are 1 to 12");
    }
    return out;
}

/// Finds where in a deflate stream its last block begins: the only thing that tells is decoding it.
class BlockFinder {
  public:
    BlockFinder() : scratch_(kScratchSize) {
        KILN_CHECK(::inflateInit2(&stream_, -MAX_WBITS) == Z_OK);
    }

    BlockFinder(const BlockFinder&) = delete;
    BlockFinder& operator=(const BlockFinder&) = delete;

    ~BlockFinder() { ::inflateEnd(&stream_); }

    struct Bits {
        std::size_t last_block; ///< position of the first bit of the last block
        std::size_t end;        ///< position behind the last bit of the stream
    };

    Bits find(Bytes deflated) {
        KILN_CHECK(::inflateReset(&stream_) == Z_OK);
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): zlib does not write to it
        stream_.next_in =
            const_cast<Bytef*>(reinterpret_cast<const Bytef*>(deflated.data())); // NOLINT
        stream_.avail_in = static_cast<uInt>(deflated.size());
        Bits out{0, 0};
        for (int result = Z_OK; result != Z_STREAM_END;) {
            stream_.next_out = reinterpret_cast<Bytef*>(scratch_.data()); // NOLINT
            stream_.avail_out = static_cast<uInt>(scratch_.size());
            result = ::inflate(&stream_, Z_BLOCK);
            KILN_CHECK(result == Z_OK || result == Z_STREAM_END);
            // zlib.h, inflate(): 128 for the end of a block, 64 while in the last one, and how many
            // bits of the last byte are not used yet.
            const auto state = static_cast<unsigned>(stream_.data_type);
            const std::size_t position =
                8 * (deflated.size() - stream_.avail_in) - (state & kUnusedBits);
            if (result == Z_OK && (state & kBlockEnd) != 0) {
                ((state & kInLastBlock) == 0 ? out.last_block : out.end) = position;
            }
        }
        return out;
    }

  private:
    static constexpr std::size_t kScratchSize = std::size_t{64} << 10U;
    static constexpr unsigned kUnusedBits = 7;
    static constexpr unsigned kInLastBlock = 64;
    static constexpr unsigned kBlockEnd = 128;

    z_stream stream_{};
    std::vector<std::byte> scratch_; ///< what was decoded, which nobody needs
};

/// A deflate stream that another one can follow: no block is the last one, and it ends with a byte.
std::vector<std::byte>
compress_part(libdeflate_compressor* compressor, BlockFinder& finder, Bytes plain) {
    // An empty block without compression: three bits and the rest of their byte, two lengths.
    constexpr std::array<unsigned char, 4> kEmptyLengths = {0, 0, 0xff, 0xff};
    constexpr std::size_t kBlockHeaderBits = 3;
    std::vector<std::byte> out(libdeflate_deflate_compress_bound(compressor, plain.size()));
    out.resize(libdeflate_deflate_compress(
        compressor, plain.data(), plain.size(), out.data(), out.size()));
    KILN_CHECK(!out.empty());
    const BlockFinder::Bits bits = finder.find(out);
    out[bits.last_block / 8] &= ~(std::byte{1} << (bits.last_block % 8));
    // Bits behind the end are zeros: the empty block's header.
    out.resize((bits.end + kBlockHeaderBits + 7) / 8);
    for (const unsigned char each : kEmptyLengths) {
        out.push_back(static_cast<std::byte>(each));
    }
    return out;
}

BlockCompressor::Compress make_compressor(int level) {
    const Compressor compressor = open_compressor(level);
    return [compressor](Bytes plain) { return compress_member(compressor.get(), plain); };
}

bool is_whole_and_zero(Bytes plain) {
    // Each byte is the one before it, and the first one is zero.
    return plain.size() == GzipSink::kMemberSize && plain.front() == std::byte{0} &&
           std::memcmp(plain.data(), plain.data() + 1, plain.size() - 1) == 0;
}

BlockCompressor::Compress make_part_compressor(int level) {
    const Compressor compressor = open_compressor(level);
    const auto finder = std::make_shared<BlockFinder>();
    const auto zeros = std::make_shared<std::vector<std::byte>>();
    return [compressor, finder, zeros](Bytes plain) {
        // Disks are mostly free space, which always becomes the same.
        if (!is_whole_and_zero(plain)) {
            return compress_part(compressor.get(), *finder, plain);
        }
        if (zeros->empty()) {
            *zeros = compress_part(compressor.get(), *finder, plain);
        }
        return *zeros;
    };
}

} // namespace

GzipSink::GzipSink(Sink& below, unsigned jobs, int level)
    : BlockCompressor(below, {kMemberSize, jobs}, [level] { return make_compressor(level); }) {}

SingleMemberGzipSink::SingleMemberGzipSink(Sink& below, unsigned jobs, int level)
    : below_(below), open_(below), blocks_(open_, {GzipSink::kMemberSize, jobs}, [level] {
          return make_part_compressor(level);
      }) {}

void SingleMemberGzipSink::write_header() {
    if (!has_header_) {
        below_.write(std::as_bytes(std::span(kHeader)));
        has_header_ = true;
    }
}

void SingleMemberGzipSink::write(Bytes bytes) {
    write_header();
    if (bytes.empty()) {
        return; // the digest of a null pointer would be that of a new stream
    }
    crc_ = libdeflate_crc32(crc_, bytes.data(), bytes.size());
    size_ += static_cast<std::uint32_t>(bytes.size());
    blocks_.write(bytes);
}

void SingleMemberGzipSink::finish() {
    write_header();
    blocks_.finish();
    // The last block: empty, with fixed codes.
    std::array<std::byte, 2 + kTrailerSize> end{std::byte{3}, std::byte{0}};
    put_le32(&end[2], crc_);
    put_le32(&end[2 + 4], size_);
    below_.write(end);
    below_.finish();
}

std::string_view gzip_version() {
    return "libdeflate " LIBDEFLATE_VERSION_STRING;
}

} // namespace kiln
