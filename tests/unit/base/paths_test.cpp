// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/paths.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace kiln {
namespace {

std::filesystem::path root_in(const Environment& env) {
    return cache_root(lookup_in(env));
}

TEST(CacheRoot, PrefersItsOwnVariable) {
    EXPECT_EQ(root_in({{"KILN_CACHE", "/c"}, {"XDG_CACHE_HOME", "/x"}, {"HOME", "/h"}}), "/c");
    EXPECT_EQ(root_in({{"XDG_CACHE_HOME", "/x"}, {"HOME", "/h"}}), "/x/kiln");
    EXPECT_EQ(root_in({{"HOME", "/h"}}), "/h/.cache/kiln");
}

TEST(CacheRoot, PassesOverEmptyAndRelativeVariables) {
    EXPECT_EQ(
        root_in({{"KILN_CACHE", ""}, {"XDG_CACHE_HOME", "x"}, {"HOME", "/h"}}), "/h/.cache/kiln");
}

TEST(CacheRoot, SaysWhatToSet) {
    try {
        static_cast<void>(root_in({}));
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "there is no place for the cache: HOME is not set");
        EXPECT_EQ(error.hint(), "set KILN_CACHE to the absolute path of a directory");
    }
}

} // namespace
} // namespace kiln
