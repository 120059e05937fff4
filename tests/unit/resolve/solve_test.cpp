// SPDX-License-Identifier: MIT
// The solver itself is tried on a toy archive by tests/functional/solve_test.cpp.
#include "base/error.hpp"
#include "resolve/apt_directory.hpp"
#include "resolve/apt_index.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using testing::ElementsAre;

TEST(ParseSimulation, TakesInstallsInOrder) {
    const auto installs =
        parse_simulation("Reading package lists...\n"
                         "Inst libc6 (2.36-9+deb12u14 Debian:12.15/oldstable, X:1/y [amd64]) []\n"
                         "Conf libc6 (2.36-9+deb12u14 Debian:12.15/oldstable [amd64])\n"
                         "Remv old [1.0]\n"
                         "Inst g++:amd64 [1:1] (1:2 toy:1/toy [all]) [a:amd64 on b:amd64]\n"
                         "Inst broken\n");
    EXPECT_THAT(
        installs,
        ElementsAre(
            AptInstall{"libc6", "2.36-9+deb12u14", "amd64", false},
            AptInstall{"g++", "1:2", "all", true}));
}

TEST(ParseReleaseDate, ReadsUtc) {
    EXPECT_EQ(
        parse_release_date("Origin: x\nDate: Sat, 09 May 2026 09:47:45 UTC\n", "r"), 1'778'320'065);
    EXPECT_EQ(parse_release_date("Date: Thu, 1 Jan 1970 00:00:01 +0000\n", "r"), 1);
    EXPECT_EQ(parse_release_date("Date: Thu, 01 Jan 1970 00:00:01 GMT\n", "r"), 1);
    EXPECT_EQ(parse_release_date("Date: Thu, 01 Jan 1970 00:00:01 Z\n", "r"), 1);
}

TEST(ParseReleaseDate, RefusesOthers) {
    for (const char* text :
         {"",
          "Date: today\n",
          "Date: Sat, 31 Feb 2026 09:47:45 UTC\n",
          "Date: Sat, 09 May 2026 25:47:45 UTC\n",
          "Date: Sat, 09 May 2026 09:47:45 CET\n"}) {
        try {
            static_cast<void>(parse_release_date(text, "InRelease"));
            ADD_FAILURE() << text;
        } catch (const Error& error) {
            EXPECT_EQ(error.message(), "'InRelease' has no valid date");
        }
    }
}

TEST(AptIndex, FindsVersionsProvidesAndEssentials) {
    const TempDir dir(temporary_root(), "kiln-test");
    write_file_atomically(
        dir.path() / "a", "Package: x\nVersion: 1\n\nPackage: y\nVersion: 1\nEssential: yes\n\n");
    write_file_atomically(
        dir.path() / "b",
        "Package: x\nVersion: 2\nProvides: v (= 2), w:any,\n z\n\nPackage: x\nVersion: 1\n");
    AptIndex index;
    index.load(dir.path() / "b", 1);
    index.load(dir.path() / "a", 0);
    EXPECT_EQ(index.find("x", "2")->archive, 1U);
    EXPECT_EQ(index.find("x", "1")->archive, 0U);
    EXPECT_EQ(index.find("y", "1")->paragraph.get("Essential"), "yes");
    EXPECT_FALSE(index.find("x", "3"));
    EXPECT_FALSE(index.find("v", "2"));
    for (const char* name : {"x", "y", "v", "w", "z"}) {
        EXPECT_TRUE(index.knows(name)) << name;
    }
    EXPECT_FALSE(index.knows("a"));
    EXPECT_THAT(index.names(), ElementsAre("x", "y"));
    EXPECT_THAT(index.essential(), ElementsAre("y"));
}

} // namespace
} // namespace kiln
