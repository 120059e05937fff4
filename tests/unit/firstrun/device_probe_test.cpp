// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "fake_world.hpp"
#include "firstrun/volume_device.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::firstrun {

namespace {

using testing::HasSubstr;

TEST(DeviceProbe, ExplainsWhatBlkidSays) {
    EXPECT_EQ(explain_probe(2, "").content, DeviceContent::blank);
    EXPECT_EQ(explain_probe(8, "").content, DeviceContent::foreign);
    const DeviceInfo ext4 =
        explain_probe(0, "DEVNAME=/dev/x\nLABEL=pause-data\nTYPE=ext4\nUSAGE=filesystem\n");
    EXPECT_EQ(ext4.content, DeviceContent::file_system);
    EXPECT_EQ(ext4.label, "pause-data");
    EXPECT_EQ(
        explain_probe(0, "TYPE=LVM2_member\nUSAGE=raid\n").content, DeviceContent::lvm_member);
    EXPECT_EQ(explain_probe(0, "PTTYPE=gpt\n").content, DeviceContent::partitioned);
    EXPECT_EQ(explain_probe(0, "TYPE=crypto_LUKS\n").type, "crypto_LUKS");
    EXPECT_EQ(explain_probe(0, "TYPE=crypto_LUKS\n").content, DeviceContent::foreign);
    EXPECT_EQ(explain_probe(0, "TYPE=ntfs\n").content, DeviceContent::foreign);
    EXPECT_EQ(explain_probe(0, "").content, DeviceContent::foreign); // better no than blank
}

VolumeRequest request() {
    return {Key::volume, Key::volume_size, "data volume", "pause-data", "/data", {"pause"}, "done"};
}

std::string refusal(DeviceContent content, std::uint64_t size, bool was_ours = false) {
    DeviceInfo info;
    info.content = content;
    info.type = "thing";
    info.size = size;
    try {
        check_device(request(), "/dev/x", info, was_ours);
        return "";
    } catch (const Error& error) {
        return error.message();
    }
}

constexpr std::uint64_t kGibibyte = std::uint64_t{1} << 30U;

TEST(DeviceCheck, FormatsOnlyWhatIsBlankAndLargeEnough) {
    EXPECT_EQ(refusal(DeviceContent::blank, kGibibyte), "");
    EXPECT_THAT(refusal(DeviceContent::blank, kGibibyte - 1), HasSubstr("too small"));
    EXPECT_EQ(refusal(DeviceContent::file_system, 1), ""); // its free space decides
    EXPECT_THAT(refusal(DeviceContent::foreign, kGibibyte), HasSubstr("holds thing"));
    EXPECT_THAT(
        refusal(DeviceContent::partitioned, kGibibyte), HasSubstr("partitioned disk (thing)"));
    EXPECT_THAT(refusal(DeviceContent::lvm_member, kGibibyte), HasSubstr("volume group"));
    EXPECT_THAT(refusal(DeviceContent::unexplained, kGibibyte), HasSubstr("not blank"));
    EXPECT_EQ(refusal(DeviceContent::unexplained, kGibibyte, true), ""); // a killed mkfs of ours
}

} // namespace

} // namespace kiln::firstrun
