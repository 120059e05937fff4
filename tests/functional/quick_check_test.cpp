// SPDX-License-Identifier: MIT
//
// The check of a finished disk by programs of this host, with a fault planted in each region.
#include "base/error.hpp"
#include "base/io/file_stream.hpp"
#include "support/make_disk.hpp"
#include "support/sample_disk.hpp"
#include "verify/check/quick_check.hpp"
#include "verify/read/ext4_reader.hpp"

#include <ext2fs/ext2fs.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <iostream>
#include <sstream>

namespace kiln {
namespace {

using namespace test;
using ::testing::AnyOf;
using ::testing::HasSubstr;

class QuickCheckTest : public ::testing::Test {
  protected:
    void check(const DiskToCheck& disk) {
        check_disk(disk, CheckLevel::quick, 2, console_, runner_);
    }

    /// The message and details of the error (exit code 4) that checking ends with.
    std::string failure(const DiskToCheck& disk) {
        try {
            check(disk);
        } catch (const Error& error) {
            EXPECT_EQ(error.exit_code(), ExitCode::differs) << error.message();
            std::string out = error.message();
            for (const std::string& line : error.details()) {
                out += "\n" + line;
            }
            return out;
        }
        return "no fault was found";
    }

    std::string failure_of_raw() { return failure(disk_.to_check({disk_.raw, ImageFormat::raw})); }

    /// Turns over the bits of one byte.
    static void flip(const fs::path& file, std::uint64_t at) {
        const UniqueFd fd = open_file(file, O_RDWR | O_CLOEXEC);
        char byte = 0;
        ASSERT_EQ(::pread(fd.get(), &byte, 1, static_cast<off_t>(at)), 1);
        byte = static_cast<char>(~byte);
        ASSERT_EQ(::pwrite(fd.get(), &byte, 1, static_cast<off_t>(at)), 1);
    }

    [[nodiscard]] std::uint64_t esp_start() const { return disk_.layout.partitions.at(1).start; }

    [[nodiscard]] std::uint64_t root_start() const { return disk_.layout.partitions.back().start; }

    /// Works on the root file system by libext2fs, which keeps its checksums right.
    void change_root(const std::function<void(ext2_filsys, ext2_ino_t marker)>& change) {
        ext2_filsys fs = nullptr;
        const std::string place = "offset=" + std::to_string(root_start());
        ASSERT_EQ(
            ext2fs_open2(
                disk_.raw.c_str(),
                place.c_str(),
                EXT2_FLAG_RW | EXT2_FLAG_64BITS,
                0,
                0,
                unix_io_manager,
                &fs),
            0);
        ext2_ino_t marker = 0;
        ASSERT_EQ(ext2fs_namei(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, "/srv/marker", &marker), 0);
        change(fs, marker);
        ASSERT_EQ(ext2fs_close(fs), 0);
    }

    std::string failure_of_inode(const std::function<void(ext2_inode&)>& change) {
        change_root([&](ext2_filsys fs, ext2_ino_t marker) {
            ext2_inode inode{};
            ASSERT_EQ(ext2fs_read_inode(fs, marker, &inode), 0);
            change(inode);
            ASSERT_EQ(ext2fs_write_inode(fs, marker, &inode), 0);
        });
        return failure_of_raw();
    }

    TempDir dir_{temporary_root(), "kiln-quick-check-test"};
    std::ostringstream said_;
    Console console_{said_, {}};
    SystemProcessRunner runner_;
    SampleDisk disk_{dir_.path()};
};

TEST_F(QuickCheckTest, AcceptsWhatTheRecordSays) {
    check(disk_.to_check({disk_.qcow2, ImageFormat::qcow2}));
    check(disk_.to_check({disk_.raw, ImageFormat::raw}));
    check(disk_.to_check({disk_.qcow2, ImageFormat::qcow2}, {{disk_.raw, ImageFormat::raw}}));
    EXPECT_THAT(said_.str(), HasSubstr("paths as recorded"));
}

TEST_F(QuickCheckTest, WorksInAwkwardFolders) {
    const fs::path folder = dir_.path() / "what? @@1M #1 100%";
    fs::create_directory(folder);
    const SampleDisk disk(folder);
    check(disk.to_check({disk.raw, ImageFormat::raw}));
    check(disk.to_check({disk.qcow2, ImageFormat::qcow2}));
}

TEST_F(QuickCheckTest, LeavesNothingInTmpdir) {
    const fs::path own = dir_.path() / "tmp";
    fs::create_directory(own);
    ::setenv("TMPDIR", own.c_str(), 1);
    check(disk_.to_check({disk_.qcow2, ImageFormat::qcow2}));
    flip(disk_.raw, root_start() + 1024);
    EXPECT_THAT(failure_of_raw(), HasSubstr("has errors"));
    ::unsetenv("TMPDIR");
    EXPECT_TRUE(fs::is_empty(own));
}

TEST_F(QuickCheckTest, ReadsADiskOfAnotherFileSystem) {
    const TempDir shared("/dev/shm", "kiln-quick-check-test");
    ::setenv("TMPDIR", shared.path().c_str(), 1);
    check(disk_.to_check({disk_.raw, ImageFormat::raw}));
    ::unsetenv("TMPDIR");
}

// A qcow2 header names the place of its L1 table, whose entries name L2 tables (QEMU,
// docs/interop/qcow2.txt): big-endian numbers of 8 bytes, the offset in bits 9 to 55.
std::uint64_t number_at(const fs::path& file, std::uint64_t at) {
    const std::string content = read_text_file(file, std::uint64_t{1} << 30U);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i) {
        value = value << 8U | static_cast<unsigned char>(content.at(at + i));
    }
    return value;
}

TEST_F(QuickCheckTest, FindsAFaultInAnL2Table) {
    constexpr std::uint64_t kL1Offset = 40;
    constexpr std::uint64_t kOffsetBits = 0x00fffffffffffe00;
    const std::uint64_t l2 =
        number_at(disk_.qcow2, number_at(disk_.qcow2, kL1Offset)) & kOffsetBits;
    flip(disk_.qcow2, l2 + 6);
    EXPECT_THAT(
        failure(disk_.to_check({disk_.qcow2, ImageFormat::qcow2})),
        AnyOf(HasSubstr("qemu-img check found errors"), HasSubstr("cannot be decoded")));
}

TEST_F(QuickCheckTest, FindsAFaultInACompressedCluster) {
    flip(disk_.qcow2, fs::file_size(disk_.qcow2) / 2);
    EXPECT_THAT(
        failure(disk_.to_check({disk_.qcow2, ImageFormat::qcow2})),
        HasSubstr(disk_.qcow2.string()));
}

TEST_F(QuickCheckTest, FindsFaultsInBothPartitionTables) {
    const std::uint64_t size = fs::file_size(disk_.raw);
    for (const std::uint64_t at :
         {std::uint64_t{512} + 56,
          std::uint64_t{1024} + 40,
          size - 512 + 56,
          size - 33 * 512 + 40}) {
        flip(disk_.raw, at);
        EXPECT_THAT(failure_of_raw(), HasSubstr("the partition table of '" + disk_.raw.string()));
        flip(disk_.raw, at);
    }
    check(disk_.to_check({disk_.raw, ImageFormat::raw}));
}

TEST_F(QuickCheckTest, FindsFaultsInTheEsp) {
    constexpr std::uint64_t kReservedSectors = 14; // of the BIOS parameter block (fatgen103)
    flip(disk_.raw, esp_start() + kReservedSectors);
    EXPECT_THAT(failure_of_raw(), HasSubstr("partition 2"));
    flip(disk_.raw, esp_start() + kReservedSectors);
    patch_file(disk_.raw, SampleDisk::kEspText, "A" + std::string(SampleDisk::kEspText.substr(1)));
    EXPECT_THAT(
        failure_of_raw(),
        HasSubstr(
            "the EFI system partition of '" + disk_.raw.string() +
            "' differs from its record in 1 path\n/EFI/X.TXT: content "));
}

TEST_F(QuickCheckTest, FindsFaultsInTheSuperblockAndTheGroupDescriptors) {
    constexpr std::uint64_t kFreeInodes = 1024 + 16; // ext4 superblock: s_free_inodes_count
    constexpr std::uint64_t kDescriptors = 4096;     // block 1
    for (const std::uint64_t at : {kFreeInodes, kDescriptors}) {
        flip(disk_.raw, root_start() + at);
        EXPECT_THAT(
            failure_of_raw(),
            HasSubstr("the file system on partition 3 of '" + disk_.raw.string() + "' has errors"));
        flip(disk_.raw, root_start() + at);
    }
}

TEST_F(QuickCheckTest, FindsAFaultInAnInode) {
    std::uint64_t at = 0;
    change_root([&](ext2_filsys fs, ext2_ino_t marker) {
        const dgrp_t group = ext2fs_group_of_ino(fs, marker);
        const std::uint64_t index = (marker - 1) % EXT2_INODES_PER_GROUP(fs->super);
        at = ext2fs_inode_table_loc(fs, group) * fs->blocksize + index * EXT2_INODE_SIZE(fs->super);
    });
    flip(disk_.raw, root_start() + at + 2); // i_uid, so that its checksum is wrong
    EXPECT_THAT(failure_of_raw(), HasSubstr("has errors"));
}

TEST_F(QuickCheckTest, FindsAFaultInADirectory) {
    blk64_t block = 0;
    change_root([&](ext2_filsys fs, ext2_ino_t) {
        ext2_ino_t folder = 0;
        ASSERT_EQ(ext2fs_namei(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, "/srv", &folder), 0);
        ASSERT_EQ(ext2fs_bmap2(fs, folder, nullptr, nullptr, 0, 0, nullptr, &block), 0);
    });
    constexpr std::uint64_t kThirdName = 12 + 12 + 8; // behind "." and ".."
    flip(disk_.raw, root_start() + block * 4096 + kThirdName);
    EXPECT_THAT(failure_of_raw(), HasSubstr("has errors"));
}

TEST_F(QuickCheckTest, FindsAChangedByteOfAFile) {
    patch_file(disk_.raw, kMarker, "A" + std::string(kMarker.substr(1)));
    EXPECT_THAT(
        failure_of_raw(),
        HasSubstr(
            "'" + disk_.raw.string() +
            "' differs from its record in 1 path\n/srv/marker: content "));
}

// Whole by every checksum, and not what the record says.
TEST_F(QuickCheckTest, FindsWhatTheFileSystemItselfThinksIsRight) {
    EXPECT_THAT(
        failure_of_inode([](ext2_inode& inode) { inode.i_mode ^= 0111U; }),
        HasSubstr("/srv/marker: mode "));
    EXPECT_THAT(
        failure_of_inode([](ext2_inode& inode) { inode.i_uid = 1000; }), HasSubstr("owner "));
    EXPECT_THAT(failure_of_inode([](ext2_inode& inode) { ++inode.i_mtime; }), HasSubstr("mtime "));
    EXPECT_THAT(failure_of_inode([](ext2_inode& inode) { --inode.i_size; }), HasSubstr("size "));
}

TEST_F(QuickCheckTest, FindsAttributesAndTimesThatAreNotRecorded) {
    change_root([&](ext2_filsys fs, ext2_ino_t marker) {
        ext2_xattr_handle* handle = nullptr;
        ASSERT_EQ(ext2fs_xattrs_open(fs, marker, &handle), 0);
        ASSERT_EQ(ext2fs_xattrs_read(handle), 0);
        ASSERT_EQ(ext2fs_xattr_set(handle, "user.planted", "x", 1), 0);
        ASSERT_EQ(ext2fs_xattrs_close(&handle), 0);
    });
    EXPECT_THAT(failure_of_raw(), HasSubstr("unexpected attribute 'user.planted'"));
    change_root([&](ext2_filsys fs, ext2_ino_t marker) {
        ext2_inode_large inode{};
        auto* const plain = reinterpret_cast<ext2_inode*>(&inode);
        ASSERT_EQ(ext2fs_read_inode_full(fs, marker, plain, sizeof inode), 0);
        inode.i_mtime_extra = 1U << 2U; // a nanosecond
        ASSERT_EQ(ext2fs_write_inode_full(fs, marker, plain, sizeof inode), 0);
    });
    EXPECT_THAT(
        failure_of_raw(), HasSubstr("the timestamp of '/srv/marker' has sub-second precision"));
}

} // namespace
} // namespace kiln
