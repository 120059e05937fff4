// SPDX-License-Identifier: MIT
#include "publish/digitalocean/preflight.hpp"
#include "support/cloud_system.hpp"
#include "support/expect_error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace kiln {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kImageFile = "usr/local/share/pause/image.json";

DiskInfo good_disk() {
    DiskInfo disk{.size_bytes = 4ULL << 30U, .table = "gpt"};
    disk.partitions.push_back({.number = 1, .type = "21686148-6449-6E6F-744E-656564454649"});
    disk.partitions.push_back(
        {.number = 2,
         .type = "0FC63DAF-8483-4772-8E79-3D69D8477DE4",
         .filesystem = FilesystemInfo{"ext4", "root", "02c9"}});
    return disk;
}

std::vector<std::string>
faults(const DiskInfo& disk, const FileTree& tree, const PreflightOptions& options = {}) {
    return check_contents(disk, tree, options).faults;
}

TEST(Preflight, TakesADiskThatBootsAndCanBeReached) {
    const Preflight found = check_contents(good_disk(), test::cloud_system(), {});
    EXPECT_THAT(found.faults, IsEmpty());
    EXPECT_EQ(found.distribution, "Debian");
}

TEST(Preflight, FindsDisksThatDropletsDoNotBoot) {
    DiskInfo disk = good_disk();
    disk.partitions.front().type = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
    EXPECT_THAT(
        faults(disk, test::cloud_system()),
        ElementsAre("the disk has no BIOS boot partition; Droplets boot by BIOS"));
    disk = good_disk();
    disk.partitions.back().filesystem->type = "xfs";
    EXPECT_THAT(
        faults(disk, test::cloud_system()),
        ElementsAre("the disk has no ext3 or ext4 file system"));
    EXPECT_THAT(
        faults(DiskInfo{}, test::cloud_system()), ElementsAre("the disk has no partition table"));
    FileTree tree = test::cloud_system();
    tree.entries().erase("boot/vmlinuz-6.1.0-30-cloud-amd64");
    EXPECT_THAT(faults(good_disk(), tree), ElementsAre("there is no kernel in /boot"));
}

TEST(Preflight, FindsSystemsThatNobodyCanReach) {
    FileTree tree = test::cloud_system();
    tree.entries().erase("etc/systemd/system/multi-user.target.wants/ssh.service");
    EXPECT_THAT(faults(good_disk(), tree), ElementsAre("no ssh server is started at boot"));
    tree = test::cloud_system();
    tree.entries().erase("usr/bin/cloud-init");
    EXPECT_THAT(
        faults(good_disk(), tree),
        ElementsAre("cloud-init is not installed; it sets up network and ssh keys"));
    tree = test::cloud_system();
    test::put_with_parents(tree, "etc/cloud/cloud-init.disabled", test::file(""));
    EXPECT_THAT(
        faults(good_disk(), tree),
        ElementsAre("cloud-init is disabled by /etc/cloud/cloud-init.disabled"));
}

TEST(Preflight, FindsDataSourcesThatDoNotWork) {
    const auto fault = [](const std::string& config) {
        FileTree tree = test::cloud_system();
        test::put_with_parents(tree, "etc/cloud/cloud.cfg.d/99_last.cfg", test::file(config));
        const auto found = faults(good_disk(), tree);
        return found.empty() ? "none" : found.front();
    };
    EXPECT_EQ(fault("datasource_list: [ConfigDrive]\n"), "none");
    EXPECT_EQ(fault("# nothing\n"), "none");
    EXPECT_EQ(fault("datasource_list:\n  - ConfigDrive\n  - NoCloud\n"), "none");
    EXPECT_EQ(fault("datasource_list: [ 'DigitalOcean',\n   \"ConfigDrive\" ]\n"), "none");
    EXPECT_THAT(
        fault("datasource_list: [ NoCloud, ConfigDrive ]\n"),
        HasSubstr("cloud-init asks NoCloud instead of ConfigDrive first"));
    EXPECT_THAT(fault("datasource_list: [ None ]\n"), HasSubstr("asks None instead"));
    EXPECT_THAT(
        fault("datasource_list:\n- NoCloud\n- ConfigDrive\n"), HasSubstr("asks NoCloud instead"));
    EXPECT_THAT(fault("datasource_list:"), HasSubstr("asks its own choice of data sources"));
}

TEST(Preflight, TakesNoStandInUnlessAllowed) {
    FileTree tree = test::cloud_system();
    test::put_with_parents(tree, kImageFile, test::file(R"({"name": "pause", "standin": true})"));
    EXPECT_THAT(
        faults(good_disk(), tree), Contains(HasSubstr("stand-in for PAUSE instead of PAUSE")));
    EXPECT_THAT(faults(good_disk(), tree, {.allow_standin = true}), IsEmpty());
    test::put_with_parents(tree, kImageFile, test::file(R"({"name": "pause", "standin": false})"));
    EXPECT_THAT(faults(good_disk(), tree), IsEmpty());
    test::put_with_parents(tree, kImageFile, test::file("not JSON"));
    EXPECT_THAT(faults(good_disk(), tree), IsEmpty());
}

TEST(Preflight, RunsTheRulesOfLint) {
    FileTree tree = test::cloud_system();
    test::put_with_parents(tree, "root/.bash_history", test::file("ls\n"));
    EXPECT_THAT(faults(good_disk(), tree), Contains(testing::StartsWith("lint: ")));
}

TEST(Preflight, TakesFormatsAndSizesThatDigitalOceanTakes) {
    const TempDir dir(temporary_root(), "kiln-test");
    const fs::path disk = dir.path() / "disk";
    write_file(disk, "");
    const auto thrown = [&](ImageFormat format) {
        return test::thrown([&] { require_importable(disk, format); });
    };
    EXPECT_EQ(thrown(ImageFormat::raw), "no error");
    EXPECT_EQ(thrown(ImageFormat::raw_gz), "no error");
    EXPECT_THAT(thrown(ImageFormat::raw_zst), HasSubstr("which DigitalOcean cannot import"));
    EXPECT_THAT(thrown(ImageFormat::oci), HasSubstr("which DigitalOcean cannot import"));
    ASSERT_EQ(::truncate(disk.c_str(), 99'999'999'999 / 512 * 512), 0);
    EXPECT_EQ(thrown(ImageFormat::raw), "no error");
    ASSERT_EQ(::truncate(disk.c_str(), 100'000'000'000), 0);
    EXPECT_THAT(thrown(ImageFormat::raw), HasSubstr("DigitalOcean takes less than 100 GB"));
}

} // namespace
} // namespace kiln
