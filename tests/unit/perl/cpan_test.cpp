// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "perl/cpan_index.hpp"
#include "perl/cpanfile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kIndex = "File:         02packages.details.txt\n"
                                    "Line-Count:   2\n"
                                    "\n"
                                    "A::B      1.5    J/JD/JDOE/A-B-1.5.tar.gz\n"
                                    "A::C    undef    J/JD/JDOE/A-B-1.5.tar.gz\n";

TEST(CpanIndex, TellsWhichReleaseHasAModule) {
    const CpanIndex index = CpanIndex::parse(kIndex, "02packages");
    EXPECT_EQ(index.size(), 2U);
    ASSERT_TRUE(index.find("A::B"));
    EXPECT_EQ(index.find("A::B")->path, "authors/id/J/JD/JDOE/A-B-1.5.tar.gz");
    EXPECT_EQ(index.find("A::B")->version, "1.5");
    EXPECT_EQ(index.find("A::C")->version, "");
    EXPECT_FALSE(index.find("A"));
}

TEST(CpanIndex, RefusesWhatIsNone) {
    EXPECT_THROW(static_cast<void>(CpanIndex::parse("A::B 1 x\n", "02packages")), Error);
    EXPECT_THROW(static_cast<void>(CpanIndex::parse("H: 1\n\nA::B 1\n", "02packages")), Error);
    EXPECT_THROW(
        static_cast<void>(CpanIndex::parse("H: 1\n\nA 1 ../../etc/x\n", "02packages")), Error);
}

std::vector<std::string> modules(std::string_view text) {
    std::vector<std::string> out;
    for (const ModuleNeed& need : parse_cpanfile(text, "cpanfile")) {
        out.push_back(need.module + " " + need.range.text());
    }
    return out;
}

TEST(Cpanfile, TellsWhatIsNeededToRun) {
    EXPECT_THAT(
        modules("requires 'A::B';\n"
                "requires \"C\", '1.5'; # why\n"
                "requires 'D' => '== 4.050';\n"
                "requires('E', 2);\n"
                "recommends 'F';\n"
                "\n"
                "on 'test' => sub {\n"
                "  requires 'G';\n"
                "};\n"
                "on build => sub {\n"
                "  requires 'H', '>= 1, < 2';\n"
                "};\n"
                "requires 'I';\n"),
        ElementsAre("A::B 0", "C 1.5", "D == 4.050", "E 2", "H >= 1, < 2", "I 0"));
}

TEST(Cpanfile, NamesTheLineThatItDoesNotUnderstand) {
    try {
        static_cast<void>(parse_cpanfile("requires 'A';\nif ($x) {\n", "cpanfile"));
        FAIL() << "was read";
    } catch (const Error& error) {
        EXPECT_THAT(error.message(), HasSubstr("cpanfile:2: syntax error at 'if ($x) {'"));
    }
}

TEST(ParseCpanfile, RefusesLinesThatNobodyWrites) {
    for (const std::string& line :
         {"requires 'A'" + std::string(100'000, ' ') + "x", std::string(100'000, '(')}) {
        try {
            static_cast<void>(parse_cpanfile(line, "cpanfile"));
            FAIL() << "no exception";
        } catch (const Error& error) {
            EXPECT_EQ(error.message(), "cpanfile:1: longer than 256 characters");
        }
    }
}

TEST(CpanIndex, RefusesPathsThatNoMirrorHas) {
    for (const std::string path :
         {"../x.tar.gz", "/x.tar.gz", "J/\x1b[2J.tar.gz", "J/\xff.tar.gz"}) {
        EXPECT_THROW(
            static_cast<void>(CpanIndex::parse("File: x\n\nA 1 " + path + "\n", "index")), Error)
            << path;
    }
}

} // namespace
} // namespace kiln
