// SPDX-License-Identifier: MIT
#include "archive/archive_reader.hpp"
#include "archive/gzip.hpp"
#include "archive/gzip_file.hpp"
#include "archive/zstd.hpp"
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/process/process.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <sstream>

namespace kiln {
namespace {

/// Compressible text of exactly `size` bytes that repeats nothing exactly.
std::string sample(std::size_t size) {
    std::string text;
    std::uint32_t state = 1;
    while (text.size() < size) {
        state = state * 1664525U + 1013904223U;
        text += "line " + std::to_string(state >> 20U) + " of the sample\n";
    }
    text.resize(size);
    return text;
}

const std::vector<std::size_t> kSizes = {
    0, 1, GzipSink::kMemberSize - 1, GzipSink::kMemberSize, GzipSink::kMemberSize + 1, 9'000'001};

template <typename Compressor> std::string compress(std::string_view text, unsigned jobs) {
    constexpr std::size_t kPiece = 100'000;
    MemorySink out;
    Compressor sink(out, jobs);
    for (std::size_t i = 0; i < text.size(); i += kPiece) {
        sink.write_text(text.substr(i, kPiece));
    }
    sink.finish();
    return std::string(out.text());
}

std::string decompress(std::string_view packed) {
    MemorySource source(as_byte_span(packed));
    DecompressSource plain(source, "x");
    MemorySink sink;
    copy(plain, sink);
    return std::string(sink.text());
}

std::string run_tool(const std::string& program, const std::string& packed) {
    const TempDir dir(temporary_root(), "compressors-test");
    write_file_atomically(dir.path() / "x", packed);
    SystemProcessRunner runner;
    const ProcessResult result = runner.run(Command{
        program,
        {"-dc", (dir.path() / "x").string()},
        {{"PATH", "/usr/bin:/bin"}},
        {},
        {},
        {},
        true});
    EXPECT_TRUE(result.ok()) << result.errors;
    return result.output;
}

template <typename Compressor> class CompressorTest : public testing::Test {};

using Compressors = testing::Types<GzipSink, SingleMemberGzipSink, ZstdSink>;
TYPED_TEST_SUITE(CompressorTest, Compressors);

TYPED_TEST(CompressorTest, WritesTheSameBytesWithAnyNumberOfThreads) {
    for (const std::size_t size : kSizes) {
        const std::string text = sample(size);
        const std::string one = compress<TypeParam>(text, 1);
        EXPECT_EQ(sha256(compress<TypeParam>(text, 2)), sha256(one)) << size;
        EXPECT_EQ(sha256(compress<TypeParam>(text, 7)), sha256(one)) << size;
        EXPECT_EQ(sha256(decompress(one)), sha256(text)) << size;
    }
}

TYPED_TEST(CompressorTest, EndsItsThreadsWhenTheSinkBelowFails) {
    class Full final : public Sink {
      public:
        void write(Bytes) override { throw Error("no space left"); }
    };

    Full full;
    TypeParam sink(full, 3);
    EXPECT_THROW(
        {
            sink.write_text(sample(9'000'000));
            sink.finish();
        },
        Error);
}

TYPED_TEST(CompressorTest, MayBeAbandoned) {
    MemorySink out;
    TypeParam sink(out, 2);
    sink.write_text(sample(12'000'000));
}

TEST(GzipSink, IsReadByGunzip) {
    const std::string text = sample(3'000'000);
    EXPECT_EQ(sha256(run_tool("gzip", compress<GzipSink>(text, 2))), sha256(text));
}

TEST(ZstdSink, IsReadByZstd) {
    const std::string text = sample(9'000'000);
    EXPECT_EQ(sha256(run_tool("zstd", compress<ZstdSink>(text, 2))), sha256(text));
}

/// Bytes of `packed` that its first member has, and what they hold.
std::pair<std::size_t, std::string> first_member(std::string_view packed, std::size_t most) {
    std::string out(most, '\0');
    z_stream stream{};
    EXPECT_EQ(inflateInit2(&stream, 16 + MAX_WBITS), Z_OK); // 16: gzip
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(out.size() - stream.avail_out);
    inflateEnd(&stream);
    return {packed.size() - stream.avail_in, out};
}

/// Neither text nor zeros: blocks that are stored, with fixed and with own codes.
std::string mixed_sample() {
    std::string out = sample(1'500'000) + std::string(3'000'000, '\0');
    std::uint64_t state = 1;
    while (out.size() < 7'000'000) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        out += static_cast<char>(state >> 56U);
    }
    return out + "end";
}

TEST(SingleMemberGzipSink, WritesOneMember) {
    for (const std::string& text :
         {std::string(), std::string("x"), sample(3'000'000), mixed_sample()}) {
        for (const unsigned jobs : {1U, 3U}) {
            const std::string packed = compress<SingleMemberGzipSink>(text, jobs);
            const auto [size, plain] = first_member(packed, text.size() + 1);
            EXPECT_EQ(size, packed.size());
            EXPECT_EQ(sha256(plain), sha256(text));
            EXPECT_EQ(sha256(run_tool("gzip", packed)), sha256(text));
        }
    }
}

TEST(SingleMemberGzipSink, IsHardlyLargerThanMembers) {
    const std::string text = mixed_sample();
    const std::size_t one = compress<SingleMemberGzipSink>(text, 2).size();
    const std::size_t many = compress<GzipSink>(text, 2).size();
    EXPECT_LT(one, many + 100);
}

TEST(GzipFile, CompressesAFile) {
    const TempDir dir(temporary_root(), "gzip-file-test");
    const std::string text = mixed_sample();
    write_file(dir.path() / "plain", text);
    std::ostringstream out;
    Console console(out, {});
    Job job = console.start("compress");
    const GzipFile file = gzip_file(dir.path() / "plain", dir.path() / "packed.gz", 2, job);
    const std::string packed = read_text_file(dir.path() / "packed.gz");
    EXPECT_EQ(packed, compress<SingleMemberGzipSink>(text, 1));
    EXPECT_EQ(file.size, packed.size());
    EXPECT_EQ(file.digest, sha256(packed));
}

TEST(GzipFile, LeavesNothingWhenItFails) {
    const TempDir dir(temporary_root(), "gzip-file-test");
    std::ostringstream out;
    Console console(out, {});
    Job job = console.start("compress");
    EXPECT_THROW(gzip_file(dir.path() / "none", dir.path() / "packed.gz", 2, job), SystemError);
    EXPECT_THROW(gzip_file(dir.path(), dir.path() / "packed.gz", 2, job), Error);
    EXPECT_TRUE(fs::is_empty(dir.path()));
}

TEST(SingleMemberGzipSink, WritesTheSameBytesForever) {
    // Changes with libdeflate's version.
    EXPECT_EQ(
        sha256(compress<SingleMemberGzipSink>(sample(3'000'000), 2)).hex(),
        "d8dc44fef935ad531c83c71b49d5ae8088e2996733ea50fbd1bfe8ce593439c3");
}

TEST(GzipSink, WritesNoTimeNameOrSystem) {
    const std::string packed = compress<GzipSink>("x", 1);
    EXPECT_EQ(packed.substr(0, 10), std::string("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10));
}

TEST(GzipSink, WritesTheSameBytesForever) {
    // Changes with libdeflate's version; that is a change of kiln's output version.
    EXPECT_EQ(
        sha256(compress<GzipSink>(sample(3'000'000), 2)).hex(),
        "369e6995456a24095954c2e107cf66f1024a26fc6153bac066a5578ecb87dbca");
}

TEST(ZstdSink, WritesTheSameBytesForever) {
    // Changes with libzstd's version; that is a change of kiln's output version.
    EXPECT_EQ(
        sha256(compress<ZstdSink>(sample(9'000'000), 2)).hex(),
        "b6c7c956f3fed2accd91a606d50541723236c555492c758b9fd630523cca8fdd");
}

TEST(GzipSink, RefusesAnUnknownLevel) {
    NullSink out;
    try {
        GzipSink sink(out, 2, 13);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "invalid gzip compression level 13");
        EXPECT_EQ(error.hint(), "valid levels are 1 to 12");
    }
}

TEST(ZstdSink, RefusesAnUnknownLevel) {
    NullSink out;
    try {
        ZstdSink sink(out, 2, 23);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "invalid zstd compression level 23");
    }
}

} // namespace
} // namespace kiln
