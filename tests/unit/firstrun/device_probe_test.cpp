// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "fake_host.hpp"
#include "firstrun/volumes/volume_device.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

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

TEST(DeviceProbe, CallsNothingBlankThatHoldsAnythingAtItsEndOrBetween) {
    constexpr std::uint64_t kSize = std::uint64_t{1} << 30U;
    constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20U;
    EXPECT_EQ(looked_at(kSize).front(), 0U);
    EXPECT_EQ(looked_at(kSize).back(), kSize - kMebibyte);
    const TempDir folder(temporary_root(), "first-run-blank");
    const fs::path file = folder.path() / "disk";
    const auto is_blank = [&](std::uint64_t size, std::uint64_t at) {
        write_file(file, "");
        const UniqueFd fd = open_file(file, O_RDWR);
        EXPECT_EQ(::ftruncate(fd.get(), static_cast<off_t>(size)), 0);
        if (at < size) {
            EXPECT_EQ(::pwrite(fd.get(), "x", 1, static_cast<off_t>(at)), 1);
        }
        return is_zeros(fd.get(), size, file);
    };
    EXPECT_TRUE(is_blank(kSize, kSize));
    EXPECT_TRUE(is_blank(512, 512));
    EXPECT_FALSE(is_blank(kSize, 0));
    EXPECT_FALSE(is_blank(kSize, kSize - 1)); // a copy of a partition table
    EXPECT_FALSE(is_blank(kSize, looked_at(kSize)[20] + 5));
    EXPECT_FALSE(is_blank(512, 511));
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
    EXPECT_THAT(refusal(DeviceContent::foreign, kGibibyte), HasSubstr("contains thing"));
    EXPECT_THAT(
        refusal(DeviceContent::partitioned, kGibibyte), HasSubstr("partitioned disk (thing)"));
    EXPECT_THAT(refusal(DeviceContent::lvm_member, kGibibyte), HasSubstr("volume group"));
    EXPECT_THAT(refusal(DeviceContent::unexplained, kGibibyte), HasSubstr("not blank"));
    EXPECT_EQ(refusal(DeviceContent::unexplained, kGibibyte, true), ""); // a killed mkfs of ours
}

} // namespace

} // namespace kiln::firstrun
