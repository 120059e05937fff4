// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "support/expect_error.hpp"
#include "tree/tree_root.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <unistd.h>

#include <iterator>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A tree, and beside it a victim that represents the build host: links in the tree point to it by
/// its path on the host, and with "..".
class TreeRootTest : public testing::Test {
  protected:
    TreeRootTest() {
        for (const fs::path& folder : {root_, victim_ / "lib"}) {
            fs::create_directories(folder);
        }
        write_file(victim_ / "file", "host\n");
        write_file(victim_ / "lib/data", "precious\n");
    }

    ~TreeRootTest() override {
        EXPECT_EQ(read_text_file(victim_ / "file"), "host\n");
        EXPECT_EQ(read_text_file(victim_ / "lib/data"), "precious\n");
        EXPECT_EQ(std::distance(fs::directory_iterator(victim_), fs::directory_iterator()), 2);
    }

    [[nodiscard]] bool has(const std::string& path) const {
        return fs::exists(fs::symlink_status(root_ / path));
    }

    [[nodiscard]] std::string text(const std::string& path) const {
        return read_text_file(root_ / path);
    }

    /// Links that lead to the victim unless they are resolved inside of the tree.
    void link_to_victim(const std::string& name) const {
        fs::create_symlink(victim_, root_ / name);
    }

    TempDir dir_{temporary_root(), "kiln-test"};
    fs::path root_ = dir_.path() / "root";
    fs::path victim_ = dir_.path() / "victim";
    TreeRoot tree_{(fs::create_directories(root_), root_)};
};

TEST_F(TreeRootTest, FollowsAbsoluteLinksInsideOfTheTree) {
    fs::create_directories(root_ / "data/var");
    fs::create_symlink("/data/var", root_ / "var");
    tree_.write_file("/var/log/x", "in the tree\n", {});
    EXPECT_EQ(text("data/var/log/x"), "in the tree\n");
    EXPECT_EQ(tree_.real_path("/var/log/x"), "data/var/log/x");
    EXPECT_EQ(tree_.real_path("var"), "var");
    EXPECT_THAT(tree_.names("/var/log"), ElementsAre("x"));
}

TEST_F(TreeRootTest, NeverLeavesTheTreeWhateverALinkSays) {
    link_to_victim("abs");
    fs::create_symlink("../victim", root_ / "rel");
    fs::create_symlink("../../../../../../../../" + victim_.string(), root_ / "up");
    for (const std::string name : {"abs", "rel", "up"}) {
        EXPECT_FALSE(tree_.look(name + "/file")) << name;
        EXPECT_FALSE(tree_.look_through(name)) << name;
        EXPECT_FALSE(tree_.is_directory(name)) << name;
        EXPECT_THAT(tree_.names(name), ElementsAre()) << name;
        EXPECT_THROW(static_cast<void>(tree_.read_text(name + "/file")), SystemError) << name;
        EXPECT_THROW(tree_.rename(name + "/file", "stolen"), SystemError) << name;
        EXPECT_THROW(tree_.make_hard_link(name + "/file", "stolen"), SystemError) << name;
        EXPECT_THROW(tree_.set_time(name + "/file", 0), SystemError) << name;
        EXPECT_THROW(tree_.set_ownership(name + "/file", {}), SystemError) << name;
        tree_.remove(name + "/lib");
        tree_.empty_file(name + "/file");
        EXPECT_FALSE(has("stolen"));
    }
}

TEST_F(TreeRootTest, ResolvesDotDotAtTheRootAsTheRoot) {
    tree_.write_file("../../etc/hosts", "x", {});
    EXPECT_EQ(text("etc/hosts"), "x");
    tree_.remove("/../../etc/..//etc/hosts");
    EXPECT_FALSE(has("etc/hosts"));
}

TEST_F(TreeRootTest, WritesThroughALinkToWhereTheSystemWouldWrite) {
    fs::create_directories(root_ / "usr/lib/accounts");
    fs::create_directories(root_ / "etc");
    write_file(root_ / "usr/lib/accounts/passwd", "old\n");
    fs::create_symlink("/usr/lib/accounts/passwd", root_ / "etc/passwd");
    fs::create_symlink("../usr/lib/accounts/new", root_ / "etc/group");
    tree_.write_through("/etc/passwd", "new\n", {});
    tree_.write_through("/etc/group", "group\n", {});
    EXPECT_EQ(text("usr/lib/accounts/passwd"), "new\n");
    EXPECT_EQ(text("usr/lib/accounts/new"), "group\n");
    EXPECT_TRUE(fs::is_symlink(root_ / "etc/passwd"));
    EXPECT_EQ(tree_.read_text("/etc/passwd"), "new\n");
}

TEST_F(TreeRootTest, WritesThroughALinkToTheHostIntoTheTree) {
    fs::create_symlink(victim_ / "file", root_ / "motd");
    EXPECT_THROW(tree_.write_through("motd", "x", {}), SystemError); // no such folder in the tree
    fs::create_directories((root_ / victim_.relative_path()));
    tree_.write_through("motd", "x", {});
    tree_.append("motd", "y");
    EXPECT_EQ(read_text_file(root_ / victim_.relative_path() / "file"), "xy");
}

TEST_F(TreeRootTest, ReplacesALinkByAFile) {
    fs::create_symlink(victim_ / "file", root_ / "file");
    tree_.write_file("file", "own\n", {});
    EXPECT_FALSE(fs::is_symlink(root_ / "file"));
    EXPECT_EQ(text("file"), "own\n");
}

TEST_F(TreeRootTest, GivesUpOnLoops) {
    fs::create_symlink("b", root_ / "a");
    fs::create_symlink("a", root_ / "b");
    EXPECT_FALSE(tree_.look_through("a"));
    try {
        tree_.write_through("a", "x", {});
        FAIL();
    } catch (const SystemError& error) {
        EXPECT_EQ(error.error_number(), ELOOP);
        EXPECT_THAT(error.message(), HasSubstr("'/a' of the tree"));
    }
}

TEST_F(TreeRootTest, EmptiesWhatALinkPointsToInTheTree) {
    write_file(root_ / "real", "text");
    fs::create_symlink("/real", root_ / "motd");
    tree_.empty_file("motd");
    EXPECT_EQ(text("real"), "");
}

TEST_F(TreeRootTest, ReadsRegularFilesOnly) {
    ASSERT_EQ(::mkfifo((root_ / "pipe").c_str(), 0644), 0);
    fs::create_directory(root_ / "folder");
    for (const char* name : {"pipe", "folder"}) {
        try {
            static_cast<void>(tree_.read_text(name));
            FAIL() << name;
        } catch (const Error& error) {
            EXPECT_THAT(error.message(), HasSubstr("is not a regular file"));
        }
    }
    tree_.empty_file("pipe");
    EXPECT_THROW(tree_.append("pipe", "x"), Error);
}

TEST_F(TreeRootTest, SaysWhatIsNoDirectory) {
    tree_.write_file("/file", "x", {});
    for (const char* path : {"/file", "/file/below", "/file/below/deeper"}) {
        EXPECT_EQ(
            test::message_of([&] { tree_.make_directory(path, {}); }),
            "'/file' of the tree is not a directory")
            << path;
    }
    EXPECT_EQ(tree_.read_text("/file"), "x");
}

TEST_F(TreeRootTest, RefusesNamesWithANulByte) {
    using namespace std::string_view_literals;
    EXPECT_FALSE(tree_.look("a\0b"sv));
    EXPECT_THROW(tree_.write_file("a\0b"sv, "x", {}), SystemError);
}

TEST_F(TreeRootTest, RemovesLinksAndNotWhatTheyPointTo) {
    link_to_victim("link");
    fs::create_directories(root_ / "folder");
    link_to_victim("folder/link");
    tree_.remove("link");
    tree_.remove("folder");
    tree_.remove("nothing/at/all");
    EXPECT_FALSE(has("link"));
    EXPECT_FALSE(has("folder"));
    EXPECT_THROW(tree_.remove("/"), Error);
}

TEST_F(TreeRootTest, RemovesVeryDeepFolders) {
    // Deeper than descriptors and path names allow at once.
    constexpr int kDepth = 3000;
    UniqueFd at = open_file(root_, O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < kDepth; ++i) {
        ASSERT_EQ(::mkdirat(at.get(), "deep", 0700), 0);
        at = UniqueFd(::openat(at.get(), "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        ASSERT_TRUE(at.is_open());
    }
    tree_.remove("deep");
    EXPECT_FALSE(has("deep"));
}

TEST_F(TreeRootTest, RemovesFoldersThatTheirOwnerMayNotChange) {
    fs::create_directories(root_ / "a/b/c");
    fs::permissions(root_ / "a/b", fs::perms::none);
    fs::permissions(root_ / "a", fs::perms::owner_read);
    tree_.remove("a");
    EXPECT_FALSE(has("a"));
}

TEST_F(TreeRootTest, LeavesNoHalfWrittenFile) {
    class Failing final : public Source {
      public:
        std::size_t read(std::span<std::byte>) override { throw Error("cut off"); }
    };

    write_file(root_ / "file", "before");
    Failing source;
    EXPECT_THROW(tree_.write_file("file", source, {}), Error);
    EXPECT_EQ(text("file"), "before");
    EXPECT_THAT(tree_.names("/"), ElementsAre("file"));
}

TEST_F(TreeRootTest, SetsModesWhateverTheUmask) {
    const mode_t before = ::umask(077);
    tree_.write_file("a/b/file", "x", {.mode = 04755});
    ::umask(before);
    const auto file = tree_.look("a/b/file");
    const auto folder = tree_.look("a/b");
    ASSERT_TRUE(file && folder);
    EXPECT_EQ(file->st_mode & 07777U, 04755U);
    EXPECT_EQ(folder->st_mode & 07777U, 0755U);
}

TEST_F(TreeRootTest, ShiftsOwners) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "needs root";
    }
    const TreeRoot shifted(root_, {.offset = 200000});
    shifted.write_file("a/file", "x", {33, 4, 0640});
    shifted.make_link("link", "a", {33, 4, 0777});
    struct stat info{};
    ASSERT_EQ(::lstat((root_ / "a/file").c_str(), &info), 0);
    EXPECT_EQ(info.st_uid, 200033U);
    EXPECT_EQ(info.st_gid, 200004U);
    ASSERT_EQ(::lstat((root_ / "link").c_str(), &info), 0);
    EXPECT_EQ(info.st_uid, 200033U);
    ASSERT_EQ(::lstat((root_ / "a").c_str(), &info), 0);
    EXPECT_EQ(info.st_uid, 200000U); // parents are root's of the tree, not of the host
    EXPECT_EQ(shifted.look("a/file")->st_uid, 33U);
    EXPECT_THROW(shifted.write_file("b", "x", {65536, 0, 0644}), Error);
}

TEST(TreeIds, RefuseWhatIsOutsideOfTheRange) {
    const TreeIds ids{.offset = 100000};
    EXPECT_EQ(ids.to_tree(100033), 33U);
    EXPECT_EQ(ids.to_tree(0), 0U); // kiln's own
    EXPECT_THROW(static_cast<void>(ids.to_tree(1000)), Error);
    EXPECT_THROW(static_cast<void>(ids.to_tree(165536)), Error);
    EXPECT_THROW(static_cast<void>(ids.to_host(65536)), Error);
    EXPECT_EQ(TreeIds{}.to_tree(70000), 70000U);
}

template <typename T> void put(std::string& bytes, T value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

TEST(TreeIds, TakeTheRootIdOutOfFileCapabilities) {
    std::string with_root;
    std::string without_root;
    for (std::string* bytes : {&with_root, &without_root}) {
        put<std::uint32_t>(
            *bytes, bytes == &with_root ? VFS_CAP_REVISION_3 | 1U : VFS_CAP_REVISION_2 | 1U);
        for (const std::uint32_t word : {1U << 13U, 0U, 0U, 0U}) {
            put(*bytes, word);
        }
    }
    put<std::uint32_t>(with_root, 100000);
    const TreeIds ids{.offset = 100000};
    EXPECT_EQ(ids.xattr_to_tree("security.capability", with_root), without_root);
    EXPECT_EQ(ids.xattr_to_tree("security.capability", without_root), without_root);
    EXPECT_EQ(ids.xattr_to_tree("user.x", with_root), with_root);
}

TEST(TreeIds, ShiftNamedEntriesOfAccessControlLists) {
    const auto acl = [](std::uint32_t user) {
        std::string out;
        put<std::uint32_t>(out, 2);
        put<std::uint16_t>(out, 0x01); // the owner, who has no id here
        put<std::uint16_t>(out, 6);
        put<std::uint32_t>(out, 0xffffffffU);
        put<std::uint16_t>(out, 0x02);
        put<std::uint16_t>(out, 4);
        put<std::uint32_t>(out, user);
        return out;
    };
    const TreeIds ids{.offset = 100000};
    EXPECT_EQ(ids.xattr_to_tree("system.posix_acl_access", acl(100033)), acl(33));
}

} // namespace
} // namespace kiln
