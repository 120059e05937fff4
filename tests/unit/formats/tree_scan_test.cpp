// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/paths.hpp"
#include "formats/tree_scan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace kiln {
namespace {

using testing::ElementsAre;

TEST(TreeScan, RefusesFilesThatWouldTakeForEverToRead) {
    const TempDir folder(temporary_root(), "kiln-test");
    for (const char* name : {"a", "b"}) {
        write_file(folder.path() / name, "");
        ASSERT_EQ(
            ::truncate((folder.path() / name).c_str(), static_cast<off_t>(kLargestTree / 2 + 1)),
            0);
    }
    try {
        static_cast<void>(scan_tree(folder.path(), {}));
        FAIL() << "it was read";
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "the tree has files of more than 256.0 GiB");
        EXPECT_EQ(error.exit_code(), ExitCode::failed);
        EXPECT_EQ(error.details().size(), 1U);
    }
}

} // namespace
} // namespace kiln
