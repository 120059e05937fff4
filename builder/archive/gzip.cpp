// SPDX-License-Identifier: MIT
#include "archive/gzip.hpp"

#include "base/error.hpp"
#include "base/handle.hpp"

#include <fmt/format.h>
#include <libdeflate.h>

#include <array>

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

BlockCompressor::Compress make_compressor(int level) {
    const std::shared_ptr<libdeflate_compressor> compressor(
        libdeflate_alloc_compressor(level), libdeflate_free_compressor);
    if (!compressor) {
        throw Error(fmt::format("invalid gzip compression level {}", level))
            .with_hint("valid levels are 1 to 12");
    }
    return [compressor](Bytes plain) { return compress_member(compressor.get(), plain); };
}

} // namespace

GzipSink::GzipSink(Sink& below, unsigned jobs, int level)
    : BlockCompressor(below, {kMemberSize, jobs}, [level] { return make_compressor(level); }) {}

std::string_view gzip_version() {
    return "libdeflate " LIBDEFLATE_VERSION_STRING;
}

} // namespace kiln
