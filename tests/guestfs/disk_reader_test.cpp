// SPDX-License-Identifier: MIT
#include "guestfs/guestfs_tier.hpp"
#include "tree/tree_compare.hpp"
#include "verify/inspect/image_info.hpp"
#include "verify/read/disk_reader.hpp"

#include <gmock/gmock.h>

namespace kiln {
namespace {

using namespace test;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// One start for all questions: the appliance is the cost here.
TEST_F(GuestfsTest, ReadsWhatOrdinaryToolsWrote) {
    const FileTree tree = disk_tree();
    const ToolDisk disk = make_tool_disk(tree, dir_.path(), runner_);
    const fs::path changed = dir_.path() / "changed.raw";
    fs::copy_file(disk.path, changed);
    patch_file(changed, kMarker, "A" + std::string(kMarker.substr(1)));

    ApplianceOptions options;
    options.drives = {{disk.path, ImageFormat::raw}, {changed, ImageFormat::raw}};
    options.scratch_bytes = 256U << 20U;
    Appliance appliance(options, console_);
    const DiskReader reader(appliance, 0);

    const DiskInfo info = reader.read_info();
    EXPECT_EQ(info.table, "gpt");
    EXPECT_EQ(info.size_bytes, fs::file_size(disk.path));
    ASSERT_EQ(info.partitions.size(), 2U);
    EXPECT_EQ(info.partitions[0].name, "bios");
    EXPECT_FALSE(info.partitions[0].filesystem);
    EXPECT_EQ(info.partitions[1].start_bytes, disk.root_offset);
    ASSERT_TRUE(info.partitions[1].filesystem);
    EXPECT_EQ(info.partitions[1].filesystem->type, "ext4");
    EXPECT_EQ(info.partitions[1].filesystem->label, "root");
    EXPECT_THAT(reader.find_faults(info.partitions[1]), IsEmpty());

    ASSERT_TRUE(reader.mount_system(info));
    GuestFiles files(appliance);
    const SystemInfo system = read_system_info(files);
    ASSERT_TRUE(system.os);
    EXPECT_EQ(system.os->pretty_name, "Debian GNU/Linux 12 (bookworm)");
    EXPECT_EQ(system.packages.size(), 2U);
    EXPECT_EQ(system.users.size(), 3U);
    EXPECT_EQ(system.units.size(), 2U);
    EXPECT_THAT(system.kernels, ElementsAre("6.1.0-30-cloud-amd64"));

    EXPECT_THAT(compare_trees(tree, reader.read_tree(keep_nothing)).lines, IsEmpty());

    const DiskReader other(appliance, 1);
    other.mount(find_root_partition(other.read_info()).number);
    EXPECT_THAT(
        compare_trees(tree, other.read_tree(keep_nothing)).lines,
        ElementsAre(HasSubstr("/srv/marker: content ")));
}

TEST_F(GuestfsTest, SaysWhyADriveCannotBeOpened) {
    ApplianceOptions options;
    options.drives = {{dir_.path() / "none.raw", ImageFormat::raw}};
    try {
        const Appliance appliance(options, console_);
        FAIL();
    } catch (const Error& error) {
        EXPECT_THAT(
            error.message(), HasSubstr("cannot open '" + options.drives[0].path.string() + "': "));
        EXPECT_EQ(error.exit_code(), ExitCode::failed);
    }
}

} // namespace
} // namespace kiln
