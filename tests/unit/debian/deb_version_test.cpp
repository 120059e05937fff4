// SPDX-License-Identifier: MIT
#include "debian/deb_version.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace kiln {
namespace {

DebVersion version(std::string_view text) {
    const auto parsed = DebVersion::parse(text);
    EXPECT_TRUE(parsed) << text;
    return parsed.value();
}

TEST(DebVersion, TakesItsPartsApart) {
    const DebVersion all = version("2:1.0-rc1-3.1");
    EXPECT_EQ(all.epoch(), 2U);
    EXPECT_EQ(all.upstream(), "1.0-rc1");
    EXPECT_EQ(all.revision(), "3.1");
    EXPECT_EQ(version("1.2").revision(), "");
}

TEST(DebVersion, RefusesWhatIsNone) {
    for (const char* text : {"", "-1", "1-", ":1", "x:1", "1 2", "1:", "1_2", "99999999999:1"}) {
        EXPECT_FALSE(DebVersion::parse(text)) << text;
    }
}

TEST(DebVersion, HasTheOrderOfPolicy) {
    // Every version is lower than all that follow it.
    const std::vector<std::string_view> ascending{
        "0~~",     "0~~a",   "0~",       "0",       "0.1~rc1-1", "0.1-1",     "0.1-1+b1", "0.1-2",
        "0.1-10",  "0.1a-1", "0.1+git1", "0.2~bpo", "0.9",       "0.10",      "1",        "1a",
        "1aa",     "1+",     "1.0",      "1.0.1",   "1.2~~",     "1.2~~beta", "1.2~beta", "1.2",
        "1.2-0.1", "1.2-1",  "2",        "10",      "1:0",       "1:0-1",     "2:0.1"};
    for (std::size_t a = 0; a < ascending.size(); ++a) {
        for (std::size_t b = 0; b < ascending.size(); ++b) {
            EXPECT_EQ(version(ascending[a]) <=> version(ascending[b]), a <=> b)
                << ascending[a] << " and " << ascending[b];
        }
    }
}

TEST(DebVersion, TreatsSomeSpellingsAsEqual) {
    EXPECT_EQ(version("1.0"), version("0:1.0"));
    EXPECT_EQ(version("1.0"), version("1.0-0"));
    EXPECT_EQ(version("1.01"), version("1.1"));
    EXPECT_EQ(version("1.0"), version("1.00"));
}

} // namespace
} // namespace kiln
