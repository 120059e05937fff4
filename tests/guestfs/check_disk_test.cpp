// SPDX-License-Identifier: MIT
#include "guestfs/guestfs_tier.hpp"
#include "verify/check/full_check.hpp"

#include <gmock/gmock.h>

namespace kiln {
namespace {

using namespace test;
using ::testing::ElementsAre;
using ::testing::StartsWith;

// A disk by kiln's own writers, read by a kernel, e2fsck and qemu that know nothing of kiln.
class CheckDisk : public GuestfsTest {
  protected:
    SampleDisk disk_{dir_.path()};
};

TEST_F(CheckDisk, AcceptsWhatTheRecordSays) {
    const DiskCheck check = full_check(disk_.to_check({disk_.qcow2, ImageFormat::qcow2}), console_);
    EXPECT_EQ(check.disk.partitions.size(), 3U);
    EXPECT_EQ(check.disk.partitions[1].filesystem->type, "vfat");
}

TEST_F(CheckDisk, NamesAChangedByte) {
    patch_file(disk_.raw, kMarker, "A" + std::string(kMarker.substr(1)));
    try {
        check_disk(
            disk_.to_check({disk_.raw, ImageFormat::raw}), CheckLevel::full, 1, console_, runner_);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(
            error.message(), "'" + disk_.raw.string() + "' differs from its record in 1 path");
        EXPECT_EQ(error.exit_code(), ExitCode::differs);
        EXPECT_THAT(error.details(), ElementsAre(StartsWith("/srv/marker: content ")));
    }
}

TEST_F(CheckDisk, NamesAChangedFileOfTheEsp) {
    patch_file(disk_.raw, SampleDisk::kEspText, "A" + std::string(SampleDisk::kEspText.substr(1)));
    try {
        check_disk(
            disk_.to_check({disk_.raw, ImageFormat::raw}), CheckLevel::full, 1, console_, runner_);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(
            error.message(),
            "the EFI system partition of '" + disk_.raw.string() +
                "' differs from its record in 1 path");
        EXPECT_THAT(error.details(), ElementsAre(StartsWith("/EFI/X.TXT: content ")));
    }
}

} // namespace
} // namespace kiln
