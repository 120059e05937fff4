// SPDX-License-Identifier: MIT
#include "perl/version.hpp"

#include <gtest/gtest.h>

namespace kiln {
namespace {

PerlVersion version(std::string_view text) {
    const auto parsed = PerlVersion::parse(text);
    EXPECT_TRUE(parsed.has_value()) << text;
    return parsed.value_or(PerlVersion());
}

bool holds(std::string_view range, std::string_view of) {
    const auto parsed = VersionRange::parse(range);
    EXPECT_TRUE(parsed.has_value()) << range;
    return parsed && parsed->holds(version(of));
}

TEST(PerlVersion, ComparesDecimalsAsNumbers) {
    EXPECT_LT(version("1.9"), version("1.91"));
    EXPECT_LT(version("1.05"), version("1.5"));
    EXPECT_EQ(version("4.050"), version("4.05"));
    EXPECT_EQ(version("2"), version("2.000"));
    EXPECT_LT(version("0.100001"), version("0.1001"));
}

TEST(PerlVersion, ComparesDottedOnesPartByPart) {
    EXPECT_LT(version("v1.9.0"), version("v1.10.0"));
    EXPECT_EQ(version("1.2.3"), version("v1.2.3"));
    EXPECT_EQ(version("1.05"), version("v1.50.0"));
    EXPECT_EQ(version("5.008001"), version("v5.8.1"));
    EXPECT_LT(version("5.036"), version("5.40.1"));
}

TEST(PerlVersion, PassesOverUnderscores) {
    EXPECT_EQ(version("1.23_01"), version("1.2301"));
}

TEST(PerlVersion, RefusesWhatIsNone) {
    for (const std::string_view text : {"", "abc", "1.2x", "v", "1..2"}) {
        EXPECT_FALSE(PerlVersion::parse(text)) << text;
    }
}

TEST(VersionRange, MeansAtLeastWithoutASign) {
    EXPECT_TRUE(holds("1.2", "1.2"));
    EXPECT_TRUE(holds("1.2", "1.3"));
    EXPECT_FALSE(holds("1.2", "1.19"));
}

TEST(VersionRange, NeedsAllConditionsToHold) {
    EXPECT_TRUE(holds(">= 1.2, != 1.5, < 2", "1.6"));
    EXPECT_FALSE(holds(">= 1.2, != 1.5, < 2", "1.5"));
    EXPECT_FALSE(holds(">= 1.2, != 1.5, < 2", "2.0"));
    EXPECT_TRUE(holds("== 4.050", "4.05"));
    EXPECT_FALSE(holds("> 1", "1"));
    EXPECT_TRUE(holds("<= 1", "1"));
}

TEST(VersionRange, TakesAnythingForZero) {
    EXPECT_TRUE(VersionRange::parse("0")->is_any());
    EXPECT_TRUE(VersionRange::parse("")->is_any());
    EXPECT_FALSE(VersionRange::parse("newest"));
}

} // namespace
} // namespace kiln
