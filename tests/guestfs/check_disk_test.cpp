// SPDX-License-Identifier: MIT
#include "check/image_check.hpp"
#include "formats/disk.hpp"
#include "formats/qcow2.hpp"
#include "guestfs/guestfs_tier.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>

namespace kiln {
namespace {

using namespace test;
using ::testing::ElementsAre;
using ::testing::StartsWith;

// A disk by kiln's own writers, read by a kernel, e2fsck and qemu that know nothing of kiln.
class CheckDisk : public GuestfsTest {
  protected:
    CheckDisk() {
        put_with_parents(tree_, "usr/latin1-\xe9", file("not UTF-8"));
        put_with_parents(tree_, "dev/null", device(FileType::char_device, 1, 3));
        put_with_parents(tree_, "dev/initctl", device(FileType::fifo, 0, 0));
        esp_.put("", directory());
        esp_.put("EFI", directory());
        esp_.put("EFI/X.TXT", file(std::string(kEspText)));
        DiskOptions options;
        options.seed = sha256("kiln check test");
        options.epoch = kEpoch;
        options.root_label = "root";
        options.esp_bytes = 64U << 20U;
        options.esp = esp_;
        options.root_free_bytes = 8U << 20U;
        static_cast<void>(write_disk(tree_, options, raw_, [](std::uint64_t) {}));
    }

    std::vector<DiskCheck> check(const DiskImage& image, std::vector<DiskImage> twins = {}) {
        return check_disks({{image, std::move(twins), &tree_, &esp_}}, console_, runner_);
    }

    static constexpr std::string_view kEspText = "a file of the ESP";

    FileTree tree_ = disk_tree();
    FileTree esp_;
    fs::path raw_ = dir_.path() / "kiln.raw";
};

TEST_F(CheckDisk, AcceptsWhatTheRecordSays) {
    const fs::path qcow2 = dir_.path() / "kiln.qcow2";
    const UniqueFd fd = open_file(raw_, O_RDONLY | O_CLOEXEC);
    static_cast<void>(write_qcow2(fd.get(), qcow2, {}, [](std::uint64_t) {}));
    const auto checks = check({qcow2, "qcow2"}, {{raw_, "raw"}});
    ASSERT_EQ(checks.size(), 1U);
    EXPECT_EQ(checks[0].disk.partitions.size(), 3U);
    EXPECT_EQ(checks[0].disk.partitions[1].filesystem->type, "vfat");
}

TEST_F(CheckDisk, NamesAChangedByte) {
    patch_file(raw_, kMarker, "A" + std::string(kMarker.substr(1)));
    try {
        check({raw_, "raw"});
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "'" + raw_.string() + "' differs from its record in 1 path");
        EXPECT_EQ(error.exit_code(), ExitCode::differs);
        EXPECT_THAT(error.details(), ElementsAre(StartsWith("/srv/marker: content ")));
    }
}

TEST_F(CheckDisk, NamesAChangedFileOfTheEsp) {
    patch_file(raw_, kEspText, "A" + std::string(kEspText.substr(1)));
    try {
        check({raw_, "raw"});
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(
            error.message(),
            "the EFI system partition of '" + raw_.string() +
                "' differs from its record in 1 path");
        EXPECT_THAT(error.details(), ElementsAre(StartsWith("/EFI/X.TXT: content ")));
    }
}

} // namespace
} // namespace kiln
