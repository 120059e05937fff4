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

TEST(Text, PrintableEscapesWhatATerminalWouldObey) {
    EXPECT_EQ(
        printable("plain, tab\there, \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
        "plain, tab\there, \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    EXPECT_EQ(printable("\x1b[31mred\x1b]0;title\x07"), "\\x1b[31mred\\x1b]0;title\\x07");
    EXPECT_EQ(printable("two\nlines\r\x7f"), "two\\x0alines\\x0d\\x7f");
    EXPECT_EQ(
        printable("\xc2\x9b"
                  "31m"),
        "\\u{9b}31m"); // CSI as one character
    EXPECT_EQ(
        printable("a\xe2\x80\xae"
                  "b\xe2\x81\xa6"
                  "c"),
        "a\\u{202e}b\\u{2066}c");
    EXPECT_EQ(printable("\xff\xc3(\xed\xa0\x80"), "\\xff\\xc3(\\xed\\xa0\\x80");
    EXPECT_EQ(printable(std::string_view("nul\0!", 5)), "nul\\x00!");
}

TEST(Text, ValidUtf8WritesBytesThatAreNone) {
    EXPECT_EQ(valid_utf8("caf\xe9\n\x1b"), "caf\\xe9\n\x1b");
    EXPECT_EQ(valid_utf8("\xc0\xaf"), "\\xc0\\xaf");          // not the shortest form
    EXPECT_EQ(valid_utf8("\xed\xa0\x80"), "\\xed\\xa0\\x80"); // a surrogate
    EXPECT_EQ(valid_utf8("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
    EXPECT_EQ(valid_utf8("\xe2\x82", "%"), "%e2%82"); // cut off
    EXPECT_EQ(valid_utf8("\xc3\xa4\xe2\x82\xac"), "\xc3\xa4\xe2\x82\xac");
}

TEST(Text, PrintableCutsBetweenCharacters) {
    EXPECT_EQ(printable("abcdef", 6), "abcdef");
    EXPECT_EQ(printable("abcdef", 3), "abc...");
    EXPECT_EQ(printable("\xc3\xa4\xc3\xb6\xc3\xbc", 2), "\xc3\xa4\xc3\xb6...");
    EXPECT_EQ(printable_lines("abcdef\n\x1b\nxy\n", 3), "abc...\n\\x1b\nxy\n");
}

TEST(Text, SuggestionsForHugeWordsCostNothing) {
    const std::string huge(1U << 20U, 'x');
    const std::vector<std::string_view> known(1000, "packages");
    EXPECT_EQ(suggest(huge, known), std::nullopt);
}

} // namespace
} // namespace kiln
