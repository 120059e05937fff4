// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "verify/read/disk_info.hpp"

#include <gtest/gtest.h>

namespace kiln {
namespace {

constexpr std::string_view kTable = R"({
   "partitiontable": {
      "label": "gpt", "id": "B3C50358-24D1-B34A-9124-976B150D8D87",
      "device": "/dev/disk/guestfs/diska", "unit": "sectors", "sectorsize": 512,
      "partitions": [
         {"node": "/dev/disk/guestfs/diska1", "start": 2048, "size": 2048,
          "type": "21686148-6449-6E6F-744E-656564454649",
          "uuid": "9C0CD43B-CE07-6841-A458-47D3EE759CA5", "name": "bios"},
         {"node": "/dev/disk/guestfs/diska12", "start": 4096, "size": 8192,
          "type": "0FC63DAF-8483-4772-8E79-3D69D8477DE4",
          "uuid": "03099FC7-0FC5-6B4B-B6E1-FB4DBFF45339"}
      ]
   }
})";

TEST(DiskInfo, ReadsTheTableInBytes) {
    const DiskInfo disk = parse_sfdisk_json(kTable);
    EXPECT_EQ(disk.table, "gpt");
    EXPECT_EQ(disk.guid, "B3C50358-24D1-B34A-9124-976B150D8D87");
    ASSERT_EQ(disk.partitions.size(), 2U);
    EXPECT_EQ(disk.partitions[0].name, "bios");
    EXPECT_EQ(partition_type_name(disk.partitions[0].type), "BIOS boot");
    EXPECT_EQ(disk.partitions[1].number, 12);
    EXPECT_EQ(disk.partitions[1].start_bytes, 4096U * 512);
    EXPECT_EQ(disk.partitions[1].size_bytes, 8192U * 512);
}

TEST(DiskInfo, AddsFileSystemsToTheirPartitions) {
    DiskInfo disk = parse_sfdisk_json(kTable);
    add_blkid_export(
        "DEVNAME=/dev/x\nPTTYPE=gpt\n\n"
        "DEVNAME=/dev/x1\nPART_ENTRY_NUMBER=1\n\n"
        "DEVNAME=/dev/x12\nLABEL=my\\ root\nUUID=02c9f4ab\nTYPE=ext4\nPART_ENTRY_NUMBER=12\n",
        disk);
    EXPECT_FALSE(disk.filesystem);
    EXPECT_FALSE(disk.partitions[0].filesystem);
    EXPECT_EQ(disk.partitions[1].filesystem, (FilesystemInfo{"ext4", "my root", "02c9f4ab"}));
}

TEST(DiskInfo, KnowsADiskWithoutATable) {
    DiskInfo disk;
    add_blkid_export("DEVNAME=/dev/x\nUUID=ab\nTYPE=xfs\n", disk);
    EXPECT_EQ(disk.filesystem, (FilesystemInfo{"xfs", "", "ab"}));
}

TEST(DiskInfo, RefusesOtherOutput) {
    try {
        static_cast<void>(parse_sfdisk_json("sfdisk: cannot open"));
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(
            error.message(),
            "malformed JSON in 'output of sfdisk': syntax error at line 1, column 1");
        EXPECT_EQ(error.exit_code(), ExitCode::failed);
    }
}

TEST(DiskInfo, KnowsADiskThatWasMadeLarger) {
    DiskInfo disk = parse_sfdisk_json(
        R"({"partitiontable": {"label": "gpt", "id": "X", "lastlba": 2097118, "sectorsize": 512,
            "partitions": [{"node": "/dev/sda1", "start": 2048, "size": 4096, "name": "caf\u00e9"}]}})");
    disk.size_bytes = std::uint64_t{1} << 30U;
    EXPECT_FALSE(is_gpt_short(disk));
    disk.size_bytes = std::uint64_t{2} << 30U;
    EXPECT_TRUE(is_gpt_short(disk));
    disk.table = "dos";
    EXPECT_FALSE(is_gpt_short(disk));
}

TEST(DiskInfo, TakesNamesThatAreNoUtf8) {
    EXPECT_EQ(parse_sfdisk_json("{\"partitiontable\": {\"id\": \"\xe9\"}}").guid, "\\xe9");
}

} // namespace
} // namespace kiln
