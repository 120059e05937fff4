// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "support/fake_process_runner.hpp"
#include "support/sample_trees.hpp"
#include "verify/check/image_check.hpp"
#include "verify/read/disk_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using namespace test;
using testing::ElementsAre;

TEST(ImageCheck, AcceptsEqualTrees) {
    EXPECT_NO_THROW(require_equal_trees(plain_tree(), plain_tree(), "'pause.qcow2'"));
}

TEST(ImageCheck, NamesTheFirstDifferencesAndCountsTheRest) {
    FileTree more = plain_tree();
    for (int i = 100; i < 125; ++i) {
        more.put("etc/" + std::to_string(i), file(""));
    }
    try {
        require_equal_trees(plain_tree(), more, "'pause.qcow2'");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "'pause.qcow2' differs from its record in 25 paths");
        EXPECT_EQ(error.exit_code(), ExitCode::differs);
        ASSERT_EQ(error.details().size(), 21U);
        EXPECT_EQ(error.details().front(), "/etc/100: unexpected file");
        EXPECT_EQ(error.details().back(), "and 5 more");
    }
}

TEST(ImageCheck, AsksQemuAboutQcow2Only) {
    FakeProcessRunner runner;
    check_qcow2({"/images/pause.raw", ImageFormat::raw}, runner);
    EXPECT_TRUE(runner.commands.empty());
    check_qcow2({"/images/pause.qcow2", ImageFormat::qcow2}, runner);
    ASSERT_EQ(runner.commands.size(), 1U);
    EXPECT_EQ(runner.commands[0].program, "qemu-img");
    EXPECT_THAT(
        runner.commands[0].args, ElementsAre("check", "-q", "-f", "qcow2", "/images/pause.qcow2"));
}

TEST(ImageCheck, KeepsOfFilesWhatFatKeeps) {
    FileTree owned;
    Entry entry = file("efi program");
    entry.uid = 4;
    entry.mode = 0600;
    owned.put("EFI/X.EFI", entry);
    FileTree fat;
    fat.put("", directory());
    fat.put("EFI/X.EFI", file("efi program"));
    EXPECT_EQ(names_and_contents(owned).digest(), names_and_contents(fat).digest());
    fat.put("EFI/X.EFI", file("another"));
    EXPECT_NE(names_and_contents(owned).digest(), names_and_contents(fat).digest());
}

TEST(ImageCheck, ReportsFormatsOfADiskThatDiffer) {
    FakeProcessRunner runner;
    runner.answer("qemu-img", {1, "Content mismatch at offset 65536!\n", ""});
    try {
        require_equal_bytes(
            {"/images/p.qcow2", ImageFormat::qcow2}, {"/images/p.raw", ImageFormat::raw}, runner);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "'/images/p.raw' differs from '/images/p.qcow2'");
        EXPECT_EQ(error.exit_code(), ExitCode::differs);
        EXPECT_THAT(error.details(), ElementsAre("Content mismatch at offset 65536!"));
    }
    EXPECT_THAT(
        runner.commands[0].args,
        ElementsAre("compare", "-f", "qcow2", "-F", "raw", "/images/p.qcow2", "/images/p.raw"));
}

TEST(ImageCheck, ReportsADamagedQcow2) {
    FakeProcessRunner runner;
    runner.answer("qemu-img", {2, "ERROR cluster 5 refcount=0\n", ""});
    try {
        check_qcow2({"/images/pause.qcow2", ImageFormat::qcow2}, runner);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "qemu-img check found errors in '/images/pause.qcow2'");
        EXPECT_EQ(error.exit_code(), ExitCode::differs);
        EXPECT_THAT(error.details(), ElementsAre("ERROR cluster 5 refcount=0"));
    }
}

TEST(ImageCheck, BoundsWhatAForeignDiskMayUnpackTo) {
    const TempDir dir(temporary_root(), "kiln-scratch");
    const fs::path image = dir.path() / "x.qcow2";
    write_file(image, "small");
    EXPECT_LE(scratch_size_of_foreign(image, std::uint64_t{64} << 40U), std::uint64_t{4} << 30U);
    EXPECT_LE(scratch_size_of_foreign(image, 1 << 20), scratch_size_for(1 << 20));
}

TEST(ImageCheck, TakesTheLargestExt4PartitionForTheRoot) {
    DiskInfo disk;
    disk.partitions.resize(4);
    disk.partitions[0] = {.number = 1, .size_bytes = 900};
    disk.partitions[1] = {.number = 2, .size_bytes = 800, .filesystem = FilesystemInfo{"vfat"}};
    disk.partitions[2] = {.number = 3, .size_bytes = 10, .filesystem = FilesystemInfo{"ext4"}};
    disk.partitions[3] = {.number = 4, .size_bytes = 70, .filesystem = FilesystemInfo{"ext4"}};
    EXPECT_EQ(find_root_partition(disk).number, 4);

    try {
        static_cast<void>(find_root_partition(DiskInfo()));
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "the image has no partition with an ext4 file system");
        EXPECT_EQ(error.exit_code(), ExitCode::differs);
    }
}

TEST(ImageCheck, KnowsWhichFstabNeedsMoreThanTheRoot) {
    EXPECT_TRUE(is_single_file_system(""));
    EXPECT_TRUE(is_single_file_system("# UUID=1 /home ext4\n"
                                      "UUID=1 / ext4 defaults 0 1\n"
                                      "UUID=2 /boot/efi vfat\n"
                                      "UUID=3 none swap sw\n"
                                      "tmpfs /tmp tmpfs\n"));
    EXPECT_FALSE(is_single_file_system("UUID=1 / ext4\nLABEL=b /boot ext4\n"));
    EXPECT_FALSE(is_single_file_system("/dev/mapper/vg-var /var ext4\n"));
}

} // namespace
} // namespace kiln
