// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "disk/disk.hpp"
#include "support/build_tree.hpp"
#include "support/scan_tree.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <cstring>

namespace kiln {
namespace {

using namespace kiln::test;
using ::testing::HasSubstr;

constexpr std::uint64_t kMiB = 1 << 20;

DiskOptions options_for_test() {
    DiskOptions options;
    options.seed = sha256("seed");
    options.epoch = kTestTime;
    options.root_label = "root";
    options.root_free_bytes = 4 * kMiB;
    return options;
}

DiskOptions options_with_everything() {
    DiskOptions options = options_for_test();
    options.boot_img = std::string(510, 'b') + "\x55\xaa";
    options.core_img = std::string(5000, 'c');
    options.esp_bytes = 8 * kMiB;
    options.esp.put("", make_directory());
    options.esp.put("EFI", make_directory());
    options.esp.put("EFI/grub.cfg", make_file("config"));
    return options;
}

class Disk {
  public:
    explicit Disk(const DiskOptions& options)
        : layout(write_disk(sample_tree(), options, path(), [](std::uint64_t) {})) {}

    [[nodiscard]] fs::path path() const { return dir_.path() / "disk.raw"; }

    [[nodiscard]] std::string bytes(std::uint64_t offset, std::size_t size) const {
        std::string out(size, '\0');
        const UniqueFd fd = open_file(path(), O_RDONLY);
        read_exactly_at(fd.get(), std::as_writable_bytes(std::span(out)), offset, path());
        return out;
    }

    /// Copies a partition out and runs a checker on it.
    void expect_clean(const DiskPartition& partition, const std::string& checker) const {
        const fs::path part = dir_.path() / "part";
        write_file_atomically(part, bytes(partition.start, partition.size));
        int status = 0;
        const std::string output = run_tool(checker, {"-n", part}, status);
        EXPECT_EQ(status, 0) << output;
    }

  private:
    TempDir dir_{temporary_root(), "kiln-disk-test-"};

  public:
    DiskLayout layout;
};

std::string failure(const DiskOptions& options) {
    try {
        const Disk disk(options);
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), ExitCode::failed);
        return error.message();
    }
    return "no failure";
}

TEST(DiskImage, HasTheTableThatOthersRead) {
    KILN_NEEDS_TOOL("sfdisk");
    const Disk disk(options_with_everything());
    int status = 0;
    const auto text = run_tool("sfdisk", {"--json", disk.path()}, status);
    ASSERT_EQ(status, 0) << text;
    const auto table = nlohmann::json::parse(text)["partitiontable"];
    EXPECT_EQ(table["label"], "gpt");
    const DiskIdentity identity = disk_identity(sha256("seed"));
    const auto upper = [](std::string guid) {
        for (char& c : guid) {
            c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        }
        return guid;
    };
    EXPECT_EQ(table["id"], upper(format_uuid(identity.disk)));
    ASSERT_EQ(table["partitions"].size(), 3U);
    ASSERT_EQ(disk.layout.partitions.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
        const auto& seen = table["partitions"][i];
        const DiskPartition& partition = disk.layout.partitions[i];
        EXPECT_EQ(seen["start"], partition.start / 512);
        EXPECT_EQ(seen["size"], partition.size / 512);
        EXPECT_EQ(seen["type"], upper(partition.type_guid));
        EXPECT_EQ(seen["uuid"], upper(partition.guid));
        EXPECT_EQ(seen["name"], partition.name);
        EXPECT_EQ(partition.start % kMiB, 0U);
    }
    EXPECT_EQ(disk.layout.partitions[0].type_guid, "21686148-6449-6e6f-744e-656564454649");
    EXPECT_EQ(disk.layout.partitions[2].name, "root");
    const std::string verify = run_tool("sfdisk", {"--verify", disk.path()}, status);
    EXPECT_EQ(status, 0) << verify;
    EXPECT_THAT(verify, HasSubstr("No errors detected"));
}

TEST(DiskImage, HoldsCleanFileSystems) {
    KILN_NEEDS_TOOL("e2fsck");
    KILN_NEEDS_TOOL("fsck.fat");
    const Disk disk(options_with_everything());
    disk.expect_clean(disk.layout.partitions[1], "fsck.fat");
    disk.expect_clean(disk.layout.partitions[2], "e2fsck");
}

TEST(DiskImage, EmbedsGrub) {
    const Disk disk(options_with_everything());
    const std::string mbr = disk.bytes(0, 512);
    EXPECT_EQ(mbr.substr(0, 0x5c), std::string(0x5c, 'b'));
    EXPECT_EQ(mbr.substr(0x5c, 12), std::string("\x00\x08\0\0\0\0\0\0bb\x90\x90", 12));
    EXPECT_EQ(mbr.substr(440, 6), std::string(6, '\0'));
    EXPECT_EQ(mbr.substr(450, 1), "\xee");
    EXPECT_EQ(mbr.substr(510), "\x55\xaa");
    const std::string core = disk.bytes(kMiB, 5120);
    EXPECT_EQ(core.substr(0, 500), std::string(500, 'c'));
    EXPECT_EQ(core.substr(500, 12), std::string("\x01\x08\0\0\0\0\0\0\x09\0\x20\x08", 12));
    EXPECT_EQ(core.substr(512, 5000 - 512), std::string(5000 - 512, 'c'));
    EXPECT_EQ(core.substr(5000), std::string(120, '\0'));
}

TEST(DiskImage, IsSparse) {
    DiskOptions options = options_for_test();
    options.root_bytes = 1024 * kMiB;
    const Disk disk(options);
    struct stat status{};
    ASSERT_EQ(::stat(disk.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_size, static_cast<off_t>(1027 * kMiB));
    EXPECT_LT(status.st_blocks * 512, static_cast<off_t>(8 * kMiB));
}

TEST(DiskImage, IdentityFollowsFromTheSeed) {
    const DiskIdentity one = disk_identity(sha256("one"));
    const DiskIdentity two = disk_identity(sha256("two"));
    EXPECT_NE(one.disk, two.disk);
    EXPECT_NE(one.root_file_system, one.root_partition);
    EXPECT_EQ(
        format_uuid(one.root_file_system),
        format_uuid(disk_identity(sha256("one")).root_file_system));
    EXPECT_EQ(format_volume_id(0x1234abcd), "1234-ABCD");
}

TEST(DiskImage, IsTheSameEverywhere) {
    const Disk disk(options_with_everything());
    EXPECT_EQ(
        sha256_file(disk.path()).hex(),
        "2f4f08458f16953de61d841bcbdcd8c43d04a3f26b4e21fb63b5ff86e312813c");
}

TEST(DiskImage, RefusesImpossibleOptions) {
    DiskOptions options = options_with_everything();
    options.core_img.clear();
    EXPECT_EQ(failure(options), "GRUB's boot.img and core.img are needed together");
    options = options_with_everything();
    options.boot_img = "short";
    EXPECT_EQ(failure(options), "boot.img has 5 bytes, expected 512");
    options = options_with_everything();
    options.core_img.resize(2 * kMiB);
    EXPECT_EQ(
        failure(options), "core.img (2.0 MiB) does not fit into the BIOS boot partition (1.0 MiB)");
    options = options_with_everything();
    options.core_img.resize(100);
    EXPECT_EQ(failure(options), "core.img is too small: 100 bytes");
    options = options_with_everything();
    options.esp_bytes += 1;
    EXPECT_EQ(failure(options), "partition sizes are multiples of 1 MiB");
}

} // namespace
} // namespace kiln
