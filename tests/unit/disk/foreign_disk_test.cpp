// SPDX-License-Identifier: MIT
#include "disk/foreign_disk.hpp"
#include "support/expect_error.hpp"
#include "support/raw_qcow2.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace kiln {
namespace {

using namespace test;
using testing::EndsWith;
using testing::HasSubstr;

class ForeignDisk : public testing::Test {
  protected:
    fs::path put(const std::string& name, const std::string& bytes) {
        const fs::path path = dir_.path() / name;
        write_file(path, bytes);
        return path;
    }

    static std::string refusal_of(const fs::path& path) {
        return message_of([&] { static_cast<void>(detect_disk_format(path)); });
    }

    TempDir dir_{temporary_root(), "kiln-disk"};
};

TEST_F(ForeignDisk, IsQcow2OrRaw) {
    EXPECT_EQ(detect_disk_format(put("a", RawQcow2().bytes())), ImageFormat::qcow2);
    EXPECT_EQ(detect_disk_format(put("b", std::string(1024, '\0'))), ImageFormat::raw);
    EXPECT_EQ(detect_disk_format(put("c", "")), ImageFormat::raw);
    EXPECT_EQ(detect_disk_format(put("d", "QFI")), ImageFormat::raw);
    EXPECT_EQ(require_plain_disk(dir_.path() / "a", ImageFormat::qcow2), std::uint64_t{1} << 30U);
    EXPECT_EQ(require_plain_disk(dir_.path() / "b", ImageFormat::raw), 1024U);
    // A disk that is said to be raw is raw whatever it looks like.
    EXPECT_EQ(
        require_plain_disk(dir_.path() / "a", ImageFormat::raw), fs::file_size(dir_.path() / "a"));
}

TEST_F(ForeignDisk, OfOtherFormatsIsRefused) {
    for (const auto& [magic, name] : std::vector<std::pair<std::string, std::string>>{
             {"KDMV", "a VMDK image"},
             {"# Disk DescriptorFile\nversion=1\nRW 2 FLAT \"/etc/shadow\" 0\n", "a VMDK image"},
             {"conectix", "a VHD image"},
             {"vhdxfile", "a VHDX image"},
             {std::string(64, ' ') + "\x7f\x10\xda\xbe", "a VDI image"},
             {std::string("QED\0", 4), "a QED image"},
             {"WithoutFreeSpace", "a Parallels image"}}) {
        const fs::path path = put("x", magic + std::string(600, '\0'));
        EXPECT_EQ(
            refusal_of(path),
            "'" + path.string() + "' is " + name + ", which kiln does not support");
    }
}

TEST_F(ForeignDisk, MustBeARegularFile) {
    const fs::path pipe = dir_.path() / "pipe";
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    EXPECT_EQ(refusal_of(pipe), "'" + pipe.string() + "' is not a regular file");
    EXPECT_EQ(refusal_of("/dev/zero"), "'/dev/zero' is not a regular file");
    EXPECT_EQ(refusal_of(dir_.path()), "'" + dir_.path().string() + "' is not a regular file");
    EXPECT_THAT(refusal_of(dir_.path() / "none"), EndsWith("No such file or directory"));
}

TEST_F(ForeignDisk, NamedLikeAProtocolIsAFile) {
    const fs::path before = fs::current_path();
    fs::current_path(dir_.path());
    for (const char* name : {"json:{}", "nbd:localhost:10809", "fat:rw:x", "ssh:x", "a,b=c"}) {
        put(name, std::string(512, 'x'));
        EXPECT_EQ(detect_disk_format(name), ImageFormat::raw);
        EXPECT_EQ(disk_argument(name), (dir_.path() / name).string());
    }
    EXPECT_THAT(refusal_of("json:{\"driver\":\"raw\"}"), EndsWith("No such file or directory"));
    fs::current_path(before);
}

TEST_F(ForeignDisk, OfAGuestHasTheFormatOfItsName) {
    EXPECT_EQ(require_guest_disk(put("data.qcow2", RawQcow2().bytes())), ImageFormat::qcow2);
    EXPECT_EQ(require_guest_disk(put("data.raw", std::string(512, 'x'))), ImageFormat::raw);
    EXPECT_EQ(require_guest_disk(put("data", "")), ImageFormat::raw);
    const fs::path fake = put("fake.qcow2", std::string(512, 'x'));
    EXPECT_EQ(
        message_of([&] { static_cast<void>(require_guest_disk(fake)); }),
        "'" + fake.string() + "' is not a qcow2 image");
}

TEST_F(ForeignDisk, ThatAGuestGaveAHeaderIsNotBelieved) {
    const RawQcow2 header =
        RawQcow2().set(72, 1U << 2U, 8).extension(104, 0x44415441, "/etc/shadow");
    const fs::path raw = put("data.raw", header.bytes());
    try {
        static_cast<void>(require_guest_disk(raw));
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(
            error.message(),
            "'" + raw.string() + "' has a qcow2 header, but the file name of a raw disk");
        EXPECT_THAT(error.hint(), HasSubstr("a guest wrote that header"));
        EXPECT_EQ(error.exit_code(), ExitCode::failed);
    }
    // Who follows the hint without looking gets no file of the host either.
    const fs::path renamed = put("data.qcow2", header.bytes());
    EXPECT_EQ(
        message_of([&] { static_cast<void>(require_guest_disk(renamed)); }),
        "'" + renamed.string() + "' refers to another file (external data file)");
}

} // namespace
} // namespace kiln
