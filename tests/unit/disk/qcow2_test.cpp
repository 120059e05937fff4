// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "disk/disk.hpp"
#include "disk/qcow2/qcow2.hpp"
#include "support/build_tree.hpp"
#include "support/scan_tree.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace kiln {
namespace {

using namespace kiln::test;

constexpr std::uint64_t kCluster = 65536;
constexpr std::uint64_t kMiB = 1 << 20;

std::string prose(std::size_t size, unsigned seed) {
    std::string out;
    for (unsigned i = 0; out.size() < size; ++i) {
        out += "line " + std::to_string(i * seed % 1000) + " of the file\n";
    }
    out.resize(size);
    return out;
}

/// A raw disk of 600 MiB with data of every kind in it, two L2 tables wide.
class Qcow2 : public ::testing::Test {
  protected:
    Qcow2() {
        EXPECT_EQ(::ftruncate(fd_.get(), static_cast<off_t>(600 * kMiB)), 0);
        put(0, prose(5 * kCluster, 7));
        put(5 * kCluster, noise(3 * kCluster));
        put(8 * kCluster, prose(40 * kCluster + 1000, 11));
        put(100 * kCluster, std::string(2 * kCluster, '\0'));
        put(300 * kCluster - 5, "across a boundary");
        for (std::uint64_t i = 0; i < 40; ++i) {
            put((400 + 2 * i) * kCluster, i % 3 == 0 ? noise(kCluster, i) : prose(kCluster, 13));
        }
        put(600 * kMiB - 10, "the end");
    }

    void put(std::uint64_t offset, const std::string& bytes) {
        write_all_at(fd_.get(), as_byte_span(bytes), offset, raw());
    }

    [[nodiscard]] fs::path raw() const { return dir_.path() / "raw"; }

    [[nodiscard]] fs::path image() const { return dir_.path() / "image.qcow2"; }

    Qcow2Result write(const Qcow2Options& options) {
        std::uint64_t done = 0;
        const Qcow2Result result =
            write_qcow2(fd_.get(), image(), options, [&](std::uint64_t bytes) { done += bytes; });
        EXPECT_EQ(done, fs::file_size(raw()));
        EXPECT_EQ(result.file_bytes, fs::file_size(image()));
        return result;
    }

    void expect_good() const {
        int status = 0;
        std::string output = run_tool("qemu-img", {"check", image()}, status);
        EXPECT_EQ(status, 0) << output;
        EXPECT_THAT(output, ::testing::HasSubstr("No errors were found"));
        output =
            run_tool("qemu-img", {"compare", "-f", "raw", "-F", "qcow2", raw(), image()}, status);
        EXPECT_EQ(status, 0) << output;
    }

    [[nodiscard]] Digest digest() const { return sha256_file(image()); }

    TempDir dir_{temporary_root(), "kiln-qcow2-test-"};
    UniqueFd fd_ = open_file(raw(), O_RDWR | O_CREAT);
};

class NoCache final : public ClusterCache {
  public:
    std::optional<Deflated> find(const Digest&) override {
        ++asked;
        return std::nullopt;
    }

    void put(const Digest&, Bytes) override { ++got; }

    void flush() override { ++flushed; }

    std::atomic<int> asked = 0;
    std::atomic<int> got = 0;
    int flushed = 0;
};

TEST_F(Qcow2, IsGoodCompressedAndPlain) {
    KILN_NEEDS_TOOL("qemu-img");
    for (const bool compress : {true, false}) {
        Qcow2Options options;
        options.compress = compress;
        const Qcow2Result result = write(options);
        EXPECT_EQ(result.virtual_bytes, 600 * kMiB);
        EXPECT_EQ(result.clusters, 5U + 3 + 41 + 2 + 40 + 1);
        expect_good();
    }
}

TEST_F(Qcow2, SaysWhatItIs) {
    KILN_NEEDS_TOOL("qemu-img");
    write({});
    int status = 0;
    const auto info =
        nlohmann::json::parse(run_tool("qemu-img", {"info", "--output=json", image()}, status));
    EXPECT_EQ(info["format"], "qcow2");
    EXPECT_EQ(info["cluster-size"], kCluster);
    EXPECT_EQ(info["virtual-size"], 600 * kMiB);
    EXPECT_EQ(info["format-specific"]["data"]["compat"], "1.1");
    EXPECT_EQ(info["format-specific"]["data"]["compression-type"], "zlib");
    EXPECT_EQ(info["format-specific"]["data"]["refcount-bits"], 16);
}

TEST_F(Qcow2, DoesNotDependOnThreadsHolesOrTheCache) {
    write({1, true, nullptr});
    const Digest expected = digest();
    for (const unsigned jobs : {2U, 3U, 7U}) {
        write({jobs, true, nullptr});
        EXPECT_EQ(digest(), expected);
    }
    // The same bytes without a single hole.
    const std::string zeros(16 * kMiB, '\0');
    for (std::uint64_t at = 410 * kMiB; at + zeros.size() < 590 * kMiB; at += zeros.size()) {
        put(at, zeros);
    }
    write({2, true, nullptr});
    EXPECT_EQ(digest(), expected);
    FileClusterCache cache(dir_.path() / "cache", qcow2_encoder(), 100 * kMiB);
    write({2, true, &cache});
    EXPECT_EQ(digest(), expected);
    const Qcow2Result again = write({2, true, &cache});
    EXPECT_EQ(again.clusters_from_cache, again.clusters);
    EXPECT_EQ(digest(), expected);
    NoCache none;
    write({2, true, &none});
    EXPECT_EQ(digest(), expected);
    EXPECT_EQ(none.got, none.asked);
    EXPECT_EQ(none.flushed, 1);
}

TEST_F(Qcow2, FindsWhatWasDeflatedAhead) {
    FileClusterCache cache(dir_.path() / "cache", qcow2_encoder(), 100 * kMiB);
    const Qcow2Options options{2, true, &cache};
    std::stop_source stopped;
    stopped.request_stop();
    deflate_ahead(fd_.get(), options, stopped.get_token());
    EXPECT_EQ(cache.size(), 0U);
    deflate_ahead(fd_.get(), options, {});
    const Qcow2Result result = write(options);
    EXPECT_EQ(result.clusters_from_cache, result.clusters);
    const Digest with_cache = digest();
    write({2, true, nullptr});
    EXPECT_EQ(digest(), with_cache);
}

TEST_F(Qcow2, IsTheSameEverywhere) {
    // Two digests: a new zlib may change the first, nothing may change the second.
    write({});
    EXPECT_EQ(digest().hex(), "c2074a22ad69da2c6c116f9474b976bcd6423377b0b7ed368ca7a82594506674");
    Qcow2Options plain;
    plain.compress = false;
    write(plain);
    EXPECT_EQ(digest().hex(), "2ffdeb0abc421fc6bed1f4eb7df1c3cfd3a9b0288649aca4b5a448e79bec766a");
}

TEST_F(Qcow2, HoldsADiskOfOurs) {
    KILN_NEEDS_TOOL("qemu-img");
    DiskOptions options;
    options.seed = sha256("seed");
    static_cast<void>(write_disk(sample_tree(), options, raw(), [](std::uint64_t) {}));
    fd_ = open_file(raw(), O_RDONLY);
    write({});
    expect_good();
    EXPECT_LT(fs::file_size(image()), 2 * kMiB);
}

TEST_F(Qcow2, TakesAnEmptyDisk) {
    KILN_NEEDS_TOOL("qemu-img");
    EXPECT_EQ(::ftruncate(fd_.get(), 0), 0);
    EXPECT_EQ(::ftruncate(fd_.get(), static_cast<off_t>(3 * kMiB + 512)), 0);
    EXPECT_EQ(write({}).clusters, 0U);
    expect_good();
}

TEST_F(Qcow2, RefusesHalfSectorsAndLeavesNothingBehind) {
    EXPECT_EQ(::ftruncate(fd_.get(), 1000), 0);
    try {
        write({});
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "disk size 1000 is not a multiple of the sector size");
        EXPECT_EQ(error.exit_code(), ExitCode::failed);
    }
    EXPECT_FALSE(fs::exists(image()));
}

} // namespace
} // namespace kiln
