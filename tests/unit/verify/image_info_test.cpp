// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "support/sample_systems.hpp"
#include "verify/inspect/image_info.hpp"
#include "verify/read/image_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using namespace test;
using testing::ElementsAre;

TEST(ImageInfo, ReadsASystemOutOfItsTree) {
    const FileTree tree = sample_system();
    TreeFiles files(tree);
    const SystemInfo info = read_system_info(files);
    ASSERT_TRUE(info.os);
    EXPECT_EQ(info.os->id, "debian");
    EXPECT_EQ(info.os->version, "12");
    EXPECT_EQ(info.os->codename, "bookworm");
    EXPECT_EQ(info.os->pretty_name, "Debian GNU/Linux 12 (bookworm)");
    EXPECT_EQ(info.os->point_release, "12.9");
    EXPECT_EQ(info.hostname, "pause");
    EXPECT_THAT(info.kernels, ElementsAre("6.1.0-30-cloud-amd64"));
    EXPECT_THAT(info.module_trees, ElementsAre("6.1.0-30-cloud-amd64"));
    EXPECT_THAT(
        info.packages,
        ElementsAre(
            InstalledPackage{"base-files", "12.4+deb12u9", "amd64"},
            InstalledPackage{"nginx", "1.22.1-9", "amd64"}));
    EXPECT_THAT(
        info.users,
        ElementsAre(
            UserInfo{"root", 0, 0, "/root", "/bin/bash"},
            UserInfo{"www-data", 33, 33, "/var/www", "/usr/sbin/nologin"},
            UserInfo{"pause", 1000, 1000, "/home/pause", "/bin/sh"}));
    EXPECT_THAT(
        info.groups,
        ElementsAre(GroupInfo{"root", 0, {}}, GroupInfo{"adm", 4, {"pause", "www-data"}}));
    EXPECT_THAT(
        info.units,
        ElementsAre(
            EnabledUnit{"getty@tty1.service", "getty.target"},
            EnabledUnit{"nginx.service", "multi-user.target"}));
    EXPECT_THAT(info.runit_services, ElementsAre("nginx", "paused"));
}

TEST(ImageInfo, FindsNothingInAnEmptyTree) {
    const FileTree tree;
    TreeFiles files(tree);
    const SystemInfo info = read_system_info(files);
    EXPECT_FALSE(info.os);
    EXPECT_TRUE(info.packages.empty());
    EXPECT_TRUE(info.users.empty());
    EXPECT_TRUE(info.units.empty());
}

TEST(ImageInfo, LeavesOutPackagesThatAreNotInstalled) {
    const auto packages = parse_dpkg_status("Package: a\nStatus: deinstall ok config-files\n"
                                            "Version: 1\nArchitecture: all\n\n"
                                            "Package: b\nStatus: install ok unpacked\n"
                                            "Version: 2\nArchitecture: all\n\n"
                                            "Package: c\nStatus: hold ok installed\n"
                                            "Version: 3\nArchitecture: all\n");
    EXPECT_THAT(packages, ElementsAre(InstalledPackage{"c", "3", "all"}));
}

TEST(ImageInfo, ReportsAMalformedStatus) {
    try {
        static_cast<void>(parse_dpkg_status("Package: a\nno colon\n"));
        FAIL();
    } catch (const Error& error) {
        EXPECT_TRUE(error.message().starts_with("var/lib/dpkg/status:2: ")) << error.message();
    }
}

TEST(ImageInfo, UnquotesAsTheShellDoes) {
    const OsRelease release =
        parse_os_release("# comment\nID=x\nPRETTY_NAME=\"A \\\"B\\\" \\$1\"\nVERSION_ID='4'\n");
    EXPECT_EQ(release.pretty_name, "A \"B\" $1");
    EXPECT_EQ(release.version, "4");
    EXPECT_EQ(release.id, "x");
}

TEST(ImageFiles, FollowsLinksInsideTheTree) {
    FileTree tree;
    tree.put("usr", directory());
    tree.put("usr/lib", directory());
    tree.put("usr/lib/os", file("here"));
    tree.put("lib", symlink("/usr/lib"));
    tree.put("up", symlink("../../usr/./lib/../lib/os"));
    tree.put("loop", symlink("loop"));
    EXPECT_EQ(resolve_path(tree, "lib/os"), "usr/lib/os");
    EXPECT_EQ(resolve_path(tree, "up"), "usr/lib/os");
    EXPECT_EQ(resolve_path(tree, "loop"), std::nullopt);
    EXPECT_EQ(resolve_path(tree, "usr/none"), std::nullopt);

    TreeFiles files(tree);
    EXPECT_THAT(files.list(""), ElementsAre("lib", "loop", "up", "usr"));
    EXPECT_THAT(files.list("lib"), ElementsAre("os"));
    EXPECT_THAT(files.list("none"), ElementsAre());
    EXPECT_EQ(files.read("lib/os"), "here");
    EXPECT_EQ(files.read("usr"), std::nullopt);
}

TEST(ImageFiles, ReadsNoMoreThanAskedAndThroughHardLinks) {
    FileTree tree;
    tree.put("a", file("content"));
    tree.put("b", hardlink(tree, "a"));
    EXPECT_EQ(read_content(tree, *tree.find("b")), "content");
    EXPECT_EQ(read_content(tree, *tree.find("b"), 4), "cont");
    tree.entries().at("a").data = nullptr;
    EXPECT_EQ(read_content(tree, *tree.find("b")), std::nullopt);
}

} // namespace
} // namespace kiln
