// SPDX-License-Identifier: MIT
#include "archive/gzip.hpp"
#include "guestfs/guestfs_tier.hpp"
#include "publish/digitalocean/preflight.hpp"
#include "support/cloud_system.hpp"

#include <gmock/gmock.h>

namespace kiln {
namespace {

using namespace test;
using ::testing::ElementsAre;

FileTree bootable_tree() {
    FileTree tree = cloud_system();
    put_with_parents(tree, "etc/fstab", file("LABEL=root / ext4 defaults 0 1\n"));
    return tree;
}

TEST_F(GuestfsTest, PreflightReadsADiskThroughItsCompression) {
    const ToolDisk disk = make_tool_disk(bootable_tree(), dir_.path(), runner_);
    const fs::path compressed = dir_.path() / "disk.raw.gz";
    {
        AtomicFile target(compressed);
        GzipSink gzip(target, 1);
        FileSource source(disk.path);
        copy(source, gzip);
        gzip.finish();
        target.commit();
    }
    EXPECT_EQ(require_bootable(compressed, ImageFormat::raw_gz, {}, console_), "Debian");
}

TEST_F(GuestfsTest, PreflightNamesAllThatIsMissing) {
    FileTree tree = bootable_tree();
    tree.entries().erase("usr/bin/cloud-init");
    tree.entries().erase("etc/systemd/system/multi-user.target.wants/ssh.service");
    put_with_parents(tree, "root/.bash_history", file("ls\n"));
    const ToolDisk disk = make_tool_disk(tree, dir_.path(), runner_);
    try {
        static_cast<void>(require_bootable(disk.path, ImageFormat::raw, {}, console_));
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), ExitCode::failed);
        EXPECT_THAT(
            error.details(),
            ElementsAre(
                "cloud-init is not installed; it sets up network and ssh keys",
                "no ssh server is started at boot",
                ::testing::StartsWith("lint: ")));
    }
}

} // namespace
} // namespace kiln
