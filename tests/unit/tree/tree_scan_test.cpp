// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/io/paths.hpp"
#include "tree/tree_scan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/xattr.h>
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

/// What a scan makes of a folder "d" with a single attribute of this name; nothing where the file
/// system has no attributes of users.
std::optional<Entry> scanned_with(const char* attribute) {
    const TempDir folder(temporary_root(), "kiln-test");
    const fs::path marked = folder.path() / "d";
    fs::create_directory(marked);
    if (::setxattr(marked.c_str(), attribute, "y", 1, 0) != 0) {
        return std::nullopt;
    }
    ScanOptions options;
    options.overlay_marks = true;
    return *scan_tree(folder.path(), options).find("d");
}

TEST(TreeScan, BelievesTheKernelsOwnMarkOnly) {
    const auto kernel = scanned_with("user.overlay.opaque");
    if (!kernel) {
        GTEST_SKIP() << "no extended attributes in " << temporary_root();
    }
    EXPECT_TRUE(kernel->opaque);
    // What a program in the mount calls user.overlay.opaque.
    const auto programs = scanned_with("user.overlay.overlay.opaque");
    ASSERT_TRUE(programs);
    EXPECT_FALSE(programs->opaque);
    EXPECT_TRUE(programs->xattrs.empty());
}

} // namespace
} // namespace kiln
