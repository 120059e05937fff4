// SPDX-License-Identifier: MIT
//
// Disks that kiln did not make, as they come: resized, oddly named, or with files that have no end.
#include "guestfs/guestfs_tier.hpp"
#include "support/expect_error.hpp"
#include "verify/inspect/image_inspect.hpp"

#include <gmock/gmock.h>

#include <sstream>

namespace kiln {
namespace {

using namespace test;
using ::testing::HasSubstr;

class ForeignDiskInspection : public GuestfsTest {
  protected:
    std::ostringstream stderr_;
    Console quiet_{stderr_, {}};
};

TEST_F(ForeignDiskInspection, TakesADiskThatWasMadeLarger) {
    const ToolDisk disk = make_tool_disk(disk_tree(), dir_.path(), runner_);
    // A name that is a list of options for QEMU, and a protocol.
    const fs::path image = dir_.path() / "nbd:a,b=c.qcow2";
    static_cast<void>(runner_.run_checked(
        {"qemu-img", {"convert", "-f", "raw", "-O", "qcow2", disk.path.string(), image.string()}}));
    static_cast<void>(
        runner_.run_checked({"qemu-img", {"resize", "-q", "-f", "qcow2", image.string(), "+1G"}}));
    const std::string before = sha256_file(image.string()).hex();
    const ImageInfo info = inspect_image(image, {}, quiet_);
    EXPECT_EQ(info.format, ImageFormat::qcow2);
    EXPECT_EQ(info.disk->partitions.size(), 2U);
    ASSERT_TRUE(info.system);
    EXPECT_EQ(info.system->packages.size(), 2U);
    EXPECT_THAT(stderr_.str(), HasSubstr("the disk was resized"));
    EXPECT_EQ(sha256_file(image.string()).hex(), before);
}

TEST_F(ForeignDiskInspection, DoesNotTakeAFileOfTheDiskIntoMemory) {
    FileTree tree = disk_tree();
    tree.entries().erase("etc/hostname");
    ToolDisk disk = make_tool_disk(tree, dir_.path(), runner_);
    // A hole of 100 GiB with the name of a file that is read.
    const fs::path command = dir_.path() / "commands";
    write_file(
        command,
        "write /dev/null /etc/hostname\nsif /etc/hostname size 107374182400\n"
        "sif /etc/hostname mode 0100644\n");
    static_cast<void>(runner_.run_checked(
        {"debugfs",
         {"-w",
          "-f",
          command.string(),
          disk.path.string() + "?offset=" + std::to_string(disk.root_offset)}}));
    EXPECT_EQ(
        message_of([&] { static_cast<void>(inspect_image(disk.path, {}, quiet_)); }),
        "'/etc/hostname' of the image is too large: 100.0 GiB, the limit is 64.0 MiB");
}

} // namespace
} // namespace kiln
