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

TEST(Text, ShowsTextOfStrangersWithoutItsControls) {
    EXPECT_EQ(
        printable("plain, \xC3\xA9 and \xE2\x82\xAC \xF0\x9F\x94\xA5"),
        "plain, \xC3\xA9 and \xE2\x82\xAC \xF0\x9F\x94\xA5");
    EXPECT_EQ(printable("a\x1b[31mb\n\r\t\x7f"), "a\\x1B[31mb\\x0A\\x0D\\x09\\x7F");
    EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
    EXPECT_EQ(
        printable("\xC2\x9B"
                  "31m"),
        "\\xC2\\x9B31m"); // CSI of eight bits
    EXPECT_EQ(
        printable("\xE2\x80\xAE"
                  "x"),
        "\\xE2\\x80\\xAEx"); // right to left
    EXPECT_EQ(printable("\xFF\xC3(\xE0\x80\x80"), "\\xFF\\xC3(\\xE0\\x80\\x80");
    EXPECT_EQ(printable("\xED\xA0\x80"), "\\xED\\xA0\\x80"); // a surrogate
    EXPECT_EQ(printable("\xE2\x82"), "\\xE2\\x82");          // cut off
    EXPECT_EQ(printable(std::string(400, 'x'), 5), "xxxxx...");
    EXPECT_EQ(printable("xxxxx", 5), "xxxxx");
}

TEST(Text, FormatsTimesAndDurations) {
    EXPECT_EQ(format_rfc3339(0), "1970-01-01T00:00:00Z");
    EXPECT_EQ(format_rfc3339(1735689599), "2024-12-31T23:59:59Z");
    EXPECT_EQ(format_duration(3.21), "3.2s");
    EXPECT_EQ(format_duration(75.9), "1m15s");
}

} // namespace
} // namespace kiln
