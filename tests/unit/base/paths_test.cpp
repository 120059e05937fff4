// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/paths.hpp"

#include <gtest/gtest.h>

#include <map>

namespace kiln {
namespace {

EnvLookup lookup(std::map<std::string, std::string> values) {
    return [values = std::move(values)](std::string_view name) -> std::optional<std::string> {
        const auto found = values.find(std::string(name));
        return found == values.end() ? std::nullopt : std::optional(found->second);
    };
}

TEST(CacheRoot, PrefersItsOwnVariable) {
    EXPECT_EQ(
        cache_root(lookup({{"KILN_CACHE", "/c"}, {"XDG_CACHE_HOME", "/x"}, {"HOME", "/h"}})), "/c");
    EXPECT_EQ(cache_root(lookup({{"XDG_CACHE_HOME", "/x"}, {"HOME", "/h"}})), "/x/kiln");
    EXPECT_EQ(cache_root(lookup({{"HOME", "/h"}})), "/h/.cache/kiln");
    EXPECT_EQ(default_pool_dir(lookup({{"KILN_CACHE", "/c"}})), "/c/pool");
}

TEST(CacheRoot, PassesOverEmptyAndRelativeVariables) {
    EXPECT_EQ(
        cache_root(lookup({{"KILN_CACHE", ""}, {"XDG_CACHE_HOME", "x"}, {"HOME", "/h"}})),
        "/h/.cache/kiln");
}

TEST(CacheRoot, SaysWhatToSet) {
    try {
        static_cast<void>(cache_root(lookup({})));
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "there is no place for the cache: HOME is not set");
        EXPECT_EQ(error.hint(), "set KILN_CACHE to the absolute path of a directory");
    }
}

} // namespace
} // namespace kiln
