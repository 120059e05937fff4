// SPDX-License-Identifier: MIT
#include "disk/qcow2/cluster_cache.hpp"
#include "support/build_tree.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace kiln {
namespace {

using namespace kiln::test;

constexpr std::uint64_t kLarge = 64 << 20;

class ClusterCacheTest : public ::testing::Test {
  protected:
    static Digest key(int i) { return sha256("cluster " + std::to_string(i)); }

    static std::string value(int i) { return noise(1000 + static_cast<std::size_t>(i), 5); }

    std::unique_ptr<FileClusterCache>
    open(std::uint64_t max_bytes = kLarge, std::string_view encoder = "encoder 1") {
        return std::make_unique<FileClusterCache>(dir_.path(), encoder, max_bytes);
    }

    static void put(FileClusterCache& cache, int i) { cache.put(key(i), as_byte_span(value(i))); }

    static bool has(FileClusterCache& cache, int i) {
        const auto found = cache.find(key(i));
        EXPECT_TRUE(!found || as_text(*found) == value(i));
        return found.has_value();
    }

    [[nodiscard]] fs::path pack() const { return dir_.path() / kClusterPackName; }

    void fill(int count) {
        const auto cache = open();
        for (int i = 0; i < count; ++i) {
            put(*cache, i);
        }
        cache->flush();
    }

    TempDir dir_{temporary_root(), "kiln-cache-test-"};
};

TEST_F(ClusterCacheTest, FindsWhatWasPut) {
    const auto cache = open();
    EXPECT_FALSE(has(*cache, 1));
    put(*cache, 1);
    EXPECT_TRUE(has(*cache, 1));
    cache->put(key(2), {});
    cache->flush();
    EXPECT_TRUE(has(*cache, 1));
    const auto reopened = open();
    EXPECT_TRUE(has(*reopened, 1));
    EXPECT_TRUE(reopened->find(key(2))->empty());
    EXPECT_EQ(reopened->size(), 2U);
}

TEST_F(ClusterCacheTest, SurvivesTruncationAtEveryPlace) {
    fill(3);
    const std::string whole = read_text_file(pack());
    for (std::size_t size = 0; size < whole.size(); size += 97) {
        write_file_atomically(pack(), whole.substr(0, size));
        const auto cache = open();
        EXPECT_LT(cache->size(), 3U);
        for (int i = 0; i < 4; ++i) {
            has(*cache, i);
        }
        put(*cache, 3);
        cache->flush();
        EXPECT_TRUE(has(*open(), 3));
    }
}

TEST_F(ClusterCacheTest, DoesNotUseDamagedRecords) {
    fill(3);
    const std::string whole = read_text_file(pack());
    for (std::size_t at = 0; at < whole.size(); at += 53) {
        std::string damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
        write_file_atomically(pack(), damaged);
        const auto cache = open();
        const int found = has(*cache, 0) + has(*cache, 1) + has(*cache, 2);
        EXPECT_LT(found, 3) << at;
    }
}

TEST_F(ClusterCacheTest, DropsWhatAnotherEncoderMade) {
    fill(3);
    EXPECT_EQ(open(kLarge, "encoder 2")->size(), 0U);
    EXPECT_EQ(open()->size(), 0U);
}

TEST_F(ClusterCacheTest, KeepsToItsSizeWithWhatWasUsedLast) {
    fill(20);
    const auto cache = open(12'000);
    EXPECT_TRUE(has(*cache, 3));
    EXPECT_TRUE(has(*cache, 4));
    put(*cache, 50);
    cache->flush();
    EXPECT_LE(fs::file_size(pack()), 12'000U);
    EXPECT_TRUE(has(*cache, 3));
    EXPECT_TRUE(has(*cache, 50));
    EXPECT_FALSE(has(*cache, 5));
    EXPECT_EQ(open(12'000)->size(), 3U);
}

TEST_F(ClusterCacheTest, IsSharedByTwo) {
    const auto one = open();
    const auto two = open();
    std::thread first([&] {
        for (int i = 0; i < 200; ++i) {
            put(*one, i);
            if (i % 10 == 0) {
                one->flush();
            }
        }
        one->flush();
    });
    for (int i = 100; i < 300; ++i) {
        put(*two, i);
        if (i % 7 == 0) {
            two->flush();
        }
    }
    two->flush();
    first.join();
    const auto all = open();
    EXPECT_EQ(all->size(), 300U);
    for (int i = 0; i < 300; ++i) {
        EXPECT_TRUE(has(*all, i)) << i;
    }
}

TEST_F(ClusterCacheTest, OutlivesItsPack) {
    fill(5);
    const auto cache = open();
    fs::remove(pack());
    EXPECT_TRUE(has(*cache, 3));
    put(*cache, 7);
    cache->flush();
    EXPECT_TRUE(has(*open(), 7));
    EXPECT_FALSE(has(*open(), 3));
}

TEST_F(ClusterCacheTest, FollowsAPackThatWasReplaced) {
    fill(5);
    const auto old = open();
    const auto other = open(1000, "encoder 2");
    put(*old, 7);
    old->flush();
    EXPECT_TRUE(has(*open(), 7));
}

} // namespace
} // namespace kiln
