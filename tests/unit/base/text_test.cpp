// SPDX-License-Identifier: MIT
#include "base/text.hpp"

#include <gtest/gtest.h>

#include <array>

namespace kiln {
namespace {

TEST(Text, SuggestsNearWordsOnly) {
    constexpr std::array<std::string_view, 3> kWords{"packages", "overlay", "users"};
    EXPECT_EQ(suggest("pakages", kWords), "packages");
    EXPECT_EQ(suggest("kernel", kWords), std::nullopt);
    EXPECT_EQ(did_you_mean("user", kWords), "did you mean 'users'?");
}

TEST(Text, ParsesSizes) {
    EXPECT_EQ(parse_size("512"), 512U);
    EXPECT_EQ(parse_size("64KiB"), 65536U);
    EXPECT_EQ(parse_size("3 GiB"), 3ULL << 30);
    EXPECT_EQ(parse_size("2MB"), 2000000U);
    EXPECT_EQ(parse_size(""), std::nullopt);
    EXPECT_EQ(parse_size("-1"), std::nullopt);
    EXPECT_EQ(parse_size("1XB"), std::nullopt);
    EXPECT_EQ(parse_size("99999999999TiB"), std::nullopt);
}

TEST(Text, SplitsLinesWithoutAnEmptyLastOne) {
    EXPECT_EQ(split_lines("a\n\nb\n"), (std::vector<std::string>{"a", "", "b"}));
    EXPECT_TRUE(split_lines("").empty());
}

TEST(Text, FormatsTimesAndDurations) {
    EXPECT_EQ(format_rfc3339(0), "1970-01-01T00:00:00Z");
    EXPECT_EQ(format_rfc3339(1735689599), "2024-12-31T23:59:59Z");
    EXPECT_EQ(format_duration(3.21), "3.2s");
    EXPECT_EQ(format_duration(75.9), "1m15s");
}

} // namespace
} // namespace kiln
