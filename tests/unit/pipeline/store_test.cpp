// SPDX-License-Identifier: MIT
#include "pipeline/store.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace kiln {
namespace {

TEST(Store, SweepsWorkThatNobodyHolds) {
    const TempDir dir(temporary_root(), "kiln-test");
    const fs::path work = dir.path() / "work";
    const fs::path left = work / "bake.killed";
    fs::create_directories(left / "upper");
    fs::permissions(left / "upper", fs::perms::none);
    const Store store(dir.path());
    EXPECT_FALSE(fs::exists(left));

    fs::path held;
    {
        const auto mine = store.begin_work();
        held = mine->path();
        const Store other(dir.path());
        EXPECT_TRUE(fs::exists(held));
    }
    EXPECT_FALSE(fs::exists(held));
}

} // namespace
} // namespace kiln
