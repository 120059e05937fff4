// SPDX-License-Identifier: MIT
#include "archive/zstd.hpp"

#include "base/error.hpp"

#include <fmt/format.h>
#include <zstd.h>

namespace kiln {

namespace {

std::size_t require(std::size_t result) {
    if (ZSTD_isError(result) != 0) {
        throw Error(fmt::format("cannot compress with zstd: {}", ZSTD_getErrorName(result)));
    }
    return result;
}

BlockCompressor::Compress make_compressor(int level) {
    constexpr int kMaxLevel = 19;
    if (level < 1 || level > kMaxLevel) {
        throw Error(fmt::format("invalid zstd compression level {}", level))
            .with_hint("valid levels are 1 to 19");
    }
    const std::shared_ptr<ZSTD_CCtx> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
    KILN_CHECK(context);
    require(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level));
    require(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1));
    require(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_contentSizeFlag, 1));
    return [context](Bytes plain) {
        std::vector<std::byte> out(ZSTD_compressBound(plain.size()));
        out.resize(require(
            ZSTD_compress2(context.get(), out.data(), out.size(), plain.data(), plain.size())));
        return out;
    };
}

} // namespace

ZstdSink::ZstdSink(Sink& below, unsigned jobs, int level)
    : BlockCompressor(below, {kFrameSize, jobs}, [level] { return make_compressor(level); }) {}

std::string zstd_version() {
    return fmt::format("zstd {}", ZSTD_versionString());
}

} // namespace kiln
