// SPDX-License-Identifier: MIT
//
// A disk of ours under SeaBIOS: the embedded GRUB starts, finds the root file system by its UUID
// and reads a file from it.
#include "base/io/file.hpp"
#include "disk/disk.hpp"
#include "support/build_tree.hpp"
#include "support/scan_tree.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using namespace kiln::test;
using ::testing::HasSubstr;

const fs::path kGrub = "/usr/lib/grub/i386-pc";

/// The core image with a configuration that talks to the serial port and powers off.
std::string make_core_image(const fs::path& work, const std::string& uuid) {
    const fs::path config = work / "load.cfg";
    write_file_atomically(
        config,
        fmt::format(
            "serial --unit=0 --speed=115200\n"
            "terminal_output serial\n"
            "echo grub-has-started\n"
            "search.fs_uuid {} root\n"
            "cat /etc/hostname\n"
            "cat /many/file-777\n"
            "halt\n",
            uuid));
    int status = 0;
    const std::string output = run_tool(
        "grub-mkimage",
        {"-O",
         "i386-pc",
         "-d",
         kGrub,
         "-c",
         config,
         "-p",
         "/boot/grub",
         "-o",
         work / "core.img",
         "biosdisk",
         "part_gpt",
         "ext2",
         "search_fs_uuid",
         "serial",
         "terminal",
         "echo",
         "cat",
         "halt"},
        status);
    EXPECT_EQ(status, 0) << output;
    return read_text_file(work / "core.img");
}

TEST(DiskBoot, GrubStartsAndReadsTheRootFileSystem) {
    KILN_NEEDS_TOOL("grub-mkimage");
    KILN_NEEDS_TOOL("qemu-system-x86_64");
    if (!fs::exists(kGrub / "boot.img")) {
        GTEST_SKIP() << "needs grub-pc-bin, which is not installed";
    }
    const TempDir work(temporary_root(), "kiln-boot-test-");
    FileTree tree = sample_tree();
    tree.put("many", make_directory());
    for (int i = 0; i < 2000; ++i) {
        tree.put(fmt::format("many/file-{}", i), make_file(fmt::format("content-{}\n", i)));
    }
    DiskOptions options;
    options.seed = sha256("boot test");
    options.epoch = kTestTime;
    options.boot_img = read_text_file(kGrub / "boot.img");
    options.core_img =
        make_core_image(work.path(), format_uuid(disk_identity(options.seed).root_file_system));
    const fs::path disk = work.path() / "disk.raw";
    static_cast<void>(write_disk(tree, options, disk, [](std::uint64_t) {}));
    int status = 0;
    const std::string output = run_tool(
        "timeout",
        {"90",
         "qemu-system-x86_64",
         "-machine",
         "pc,accel=tcg",
         "-m",
         "64",
         "-nodefaults",
         "-display",
         "none",
         "-no-reboot",
         "-serial",
         "stdio",
         "-drive",
         fmt::format("file={},format=raw,if=virtio,snapshot=on", disk.string())},
        status);
    EXPECT_EQ(status, 0) << output;
    EXPECT_THAT(output, HasSubstr("grub-has-started"));
    EXPECT_THAT(output, HasSubstr("golden"));
    EXPECT_THAT(output, HasSubstr("content-777"));
}

} // namespace
} // namespace kiln
