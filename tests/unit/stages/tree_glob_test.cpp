// SPDX-License-Identifier: MIT
#include "base/io/file.hpp"
#include "stages/copy/tree_glob.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::IsEmpty;

class TreeGlob : public testing::Test {
  protected:
    TreeGlob() {
        fs::create_directories(root_ / "srv/a/b");
        write_file(root_ / "srv/a/b/file", "x");
        write_file(root_ / "srv/a/.hidden", "x");
    }

    [[nodiscard]] std::vector<std::string> matching(const std::string& pattern) const {
        return matching_paths(tree_, pattern);
    }

    TempDir dir_{temporary_root(), "kiln-test"};
    fs::path root_ = dir_.path() / "root";
    TreeRoot tree_{(fs::create_directories(root_), root_)};
};

TEST_F(TreeGlob, MatchesComponents) {
    EXPECT_THAT(matching("/srv/*/b/fi?e"), ElementsAre("/srv/a/b/file"));
    EXPECT_THAT(matching("/srv/a/*"), ElementsAre("/srv/a/b"));
    EXPECT_THAT(matching("/srv/a/.h*"), ElementsAre("/srv/a/.hidden"));
    EXPECT_THAT(matching("/srv/*/nothing"), IsEmpty());
}

TEST_F(TreeGlob, StaysInTheTree) {
    fs::create_directory(dir_.path() / "host");
    write_file(dir_.path() / "host/file", "x");
    fs::create_directory_symlink(dir_.path() / "host", root_ / "srv/out");
    fs::create_directory_symlink("../../host", root_ / "srv/up");
    EXPECT_THAT(matching("/srv/out/*"), IsEmpty());
    EXPECT_THAT(matching("/srv/*/file"), IsEmpty());
    EXPECT_THAT(matching("/../host/*"), IsEmpty());
}

TEST_F(TreeGlob, ListsAFolderOfManyNamesOnce) {
    for (int i = 0; i < 20; ++i) {
        fs::create_directory_symlink(".", root_ / "srv" / ("l" + std::to_string(i)));
    }
    // By way of one of the links: which names of a folder are taken is nobody's promise.
    EXPECT_THAT(matching("/srv/*/*/*/*/*/*/*/*/*/fil*"), ElementsAre(EndsWith("/a/b/file")));
}

} // namespace
} // namespace kiln
