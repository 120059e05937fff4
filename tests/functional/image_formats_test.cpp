// SPDX-License-Identifier: MIT
//
// Forms of images that are made from another one, read by the programs that users have.
#include "bake/formats/writers.hpp"
#include "base/error.hpp"
#include "base/process/process.hpp"
#include "support/make_disk.hpp"
#include "support/sample_disk.hpp"
#include "verify/inspect/image_inspect.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace kiln {
namespace {

using namespace test;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ImageFormats : public ::testing::Test {
  protected:
    fs::path write(ImageFormat format, unsigned jobs, const std::string& name) {
        const fs::path target = dir_.path() / name;
        writer_of(format)(
            {disk_.raw, disk_.root, recipe_, dir_.path(), true, jobs, console_}, target);
        return target;
    }

    /// What a shell command prints.
    std::string output(const std::string& command) {
        return runner_.run_checked({"sh", {"-c", command}});
    }

    void check(const DiskImage& twin) {
        check_disk(
            disk_.to_check({disk_.raw, ImageFormat::raw}, {twin}),
            CheckLevel::quick,
            2,
            console_,
            runner_);
    }

    const std::string recipe_ = "web";
    TempDir dir_{temporary_root(), "kiln-image-formats"};
    std::ostringstream said_;
    Console console_{said_, {}};
    SystemProcessRunner runner_;
    SampleDisk disk_{dir_.path()};
};

TEST_F(ImageFormats, CompressedDisksAreReadByTheirOwnPrograms) {
    for (const auto& [format, program] : std::vector<std::pair<ImageFormat, std::string>>{
             {ImageFormat::raw_gz, "gzip"}, {ImageFormat::raw_zst, "zstd"}}) {
        const fs::path one = write(format, 1, "one" + std::string(info_of(format).suffix));
        const fs::path two = write(format, 2, "two" + std::string(info_of(format).suffix));
        EXPECT_EQ(sha256_file(one.string()), sha256_file(two.string())) << name_of(format);
        output(program + " -dc " + one.string() + " | cmp - " + disk_.raw.string());
        EXPECT_LT(fs::file_size(one), fs::file_size(disk_.raw) / 10);
        EXPECT_EQ(detect_image_format(one), format);
        check({one, format});
    }
}

TEST_F(ImageFormats, TheCheckComparesCompressedDisksWithTheDisk) {
    const fs::path image = write(ImageFormat::raw_zst, 1, "web.raw.zst");
    const std::string before = sha256_file(disk_.raw.string()).hex();
    // Another whole disk: it is not the one that the image was made of.
    patch_file(disk_.raw, kMarker, "A" + std::string(kMarker.substr(1)));
    try {
        check({image, ImageFormat::raw_zst});
        FAIL() << before;
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), ExitCode::differs);
        EXPECT_THAT(
            error.message(),
            StartsWith(
                "'" + image.string() + "' differs from '" + disk_.raw.string() +
                "' in the MiB at"));
    }
}

TEST_F(ImageFormats, ATarHoldsTheRootFileSystem) {
    const fs::path tar = write(ImageFormat::tar, 1, "web.tar");
    EXPECT_EQ(detect_image_format(tar), ImageFormat::tar);
    EXPECT_THAT(
        output("tar --numeric-owner -tvf " + tar.string()),
        AllOf(
            HasSubstr("-rw-r----- 33/100000"),
            HasSubstr("-rwsr-xr-x 0/0"),
            HasSubstr("usr/bin/sudoedit link to "),
            HasSubstr("crw------- 0/0")));
    const ImageInfo info = inspect_image(tar, {.expected = &disk_.root}, console_);
    EXPECT_EQ(info.format, ImageFormat::tar);
    EXPECT_EQ(info.system->os->pretty_name, "Debian GNU/Linux 12 (bookworm)");
}

TEST_F(ImageFormats, CompressedDisksAreNamedAndNotInspected) {
    const fs::path image = write(ImageFormat::raw_gz, 1, "web.raw.gz");
    try {
        static_cast<void>(inspect_image(image, {}, console_));
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(
            error.message(),
            "'" + image.string() + "' is a raw disk, gzip-compressed; decompress it first");
        EXPECT_EQ(error.hint(), "run 'gzip -dk' to decompress it");
    }
}

} // namespace
} // namespace kiln
