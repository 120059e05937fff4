// SPDX-License-Identifier: MIT
#include "base/io/beneath.hpp"
#include "support/expect_error.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace kiln {
namespace {

using test::message_of;
using testing::EndsWith;

class Beneath : public testing::Test {
  protected:
    Beneath() {
        fs::create_directories(dir_.path() / "top/in");
        write_file(dir_.path() / "outside", "secret");
        write_file(dir_.path() / "top/in/file", "text");
        fs::create_symlink("in", dir_.path() / "top/link");
        fs::create_symlink("file", dir_.path() / "top/in/alias");
        top_ = open_top(dir_.path() / "top");
    }

    std::string opening(const std::string& path) {
        return message_of([&] { static_cast<void>(open_beneath(top_.get(), path, O_RDONLY)); });
    }

    TempDir dir_{temporary_root(), "kiln-beneath"};
    UniqueFd top_;
};

TEST_F(Beneath, OpensWhatLiesThere) {
    EXPECT_EQ(RegularFile(top_.get(), "in/file", "shown").read_text(100), "text");
    EXPECT_TRUE(open_beneath(top_.get(), "", O_RDONLY | O_DIRECTORY).is_open());
}

TEST_F(Beneath, LeadsNowhereElse) {
    EXPECT_EQ(opening("link/file"), "'link/file' passes through a symbolic link");
    EXPECT_EQ(opening("in/alias"), "'in/alias' passes through a symbolic link");
    EXPECT_THAT(opening("../outside"), EndsWith("Invalid cross-device link"));
    EXPECT_THAT(opening("in/../../outside"), EndsWith("Invalid cross-device link"));
    EXPECT_THAT(opening((dir_.path() / "outside").string()), EndsWith("Invalid cross-device link"));
    EXPECT_THAT(opening("none"), EndsWith("No such file or directory"));
}

TEST_F(Beneath, MakesDirectoriesOnlyThere) {
    const mode_t before = ::umask(077);
    EXPECT_TRUE(make_directories_beneath(top_.get(), "a/b/c", 0755).is_open());
    ::umask(before);
    EXPECT_EQ(fs::status(dir_.path() / "top/a/b/c").permissions(), fs::perms(0755));
    EXPECT_EQ(
        message_of([&] { static_cast<void>(make_directories_beneath(top_.get(), "link/new")); }),
        "'link/new' passes through a symbolic link");
    EXPECT_FALSE(fs::exists(dir_.path() / "top/in/new"));
    EXPECT_NE(
        message_of([&] { static_cast<void>(make_directories_beneath(top_.get(), "../new")); }),
        "no error");
    EXPECT_FALSE(fs::exists(dir_.path() / "new"));
}

TEST_F(Beneath, ReadsRegularFilesOnly) {
    ASSERT_EQ(::mkfifo((dir_.path() / "top/pipe").c_str(), 0600), 0);
    EXPECT_EQ(
        message_of([&] { RegularFile(top_.get(), "pipe", "the pipe"); }),
        "'the pipe' is not a regular file");
    EXPECT_EQ(message_of([&] { RegularFile("/dev/zero"); }), "'/dev/zero' is not a regular file");
    EXPECT_EQ(
        message_of([&] { static_cast<void>(RegularFile(dir_.path() / "outside").read_text(5)); }),
        "'" + (dir_.path() / "outside").string() + "' is too large: 6 B, the limit is 5 B");
}

} // namespace
} // namespace kiln
