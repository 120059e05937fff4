// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "disk/fat/fat.hpp"
#include "support/build_tree.hpp"
#include "support/scan_tree.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace kiln {
namespace {

using namespace kiln::test;
using ::testing::HasSubstr;

constexpr std::uint64_t kMiB = 1 << 20;

FileTree esp_tree() {
    FileTree tree;
    tree.put("", make_directory());
    tree.put("EFI", make_directory());
    tree.put("EFI/BOOT", make_directory());
    tree.put("EFI/BOOT/BOOTX64.EFI", make_file(noise(300'001)));
    tree.put("EFI/BOOT/grub.cfg", make_file("configfile\n"));
    tree.put("EFI/empty", make_file(""));
    for (int i = 0; i < 40; ++i) {
        tree.put(fmt::format("EFI/BOOT/mod{}.mod", i), make_file(fmt::format("module {}", i)));
    }
    return tree;
}

class Image {
  public:
    explicit Image(const FileTree& tree, std::uint64_t size, const std::string& label = "ESP") {
        const UniqueFd fd = open_file(path(), O_RDWR | O_CREAT | O_TRUNC);
        EXPECT_EQ(::ftruncate(fd.get(), static_cast<off_t>(size)), 0);
        write_fat(tree, {0x12345678, label, kTestTime, 2048}, fd.get(), 0, size);
    }

    [[nodiscard]] fs::path path() const { return dir_.path() / "image"; }

    std::string tool(const std::string& program, std::vector<std::string> args) const {
        int status = 0;
        const std::string output = run_tool(program, args, status);
        EXPECT_EQ(status, 0) << output;
        return output;
    }

  private:
    TempDir dir_{temporary_root(), "kiln-fat-test-"};
};

std::string failure(const FileTree& tree, std::uint64_t size, const std::string& label = "ESP") {
    try {
        const Image image(tree, size, label);
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), ExitCode::failed);
        return error.message();
    }
    return "no failure";
}

class Fat : public ::testing::TestWithParam<std::uint64_t> {
  protected:
    void SetUp() override {
        KILN_NEEDS_TOOL("fsck.fat");
        KILN_NEEDS_TOOL("mdir");
    }
};

TEST_P(Fat, IsCleanAndReadable) {
    const FileTree tree = esp_tree();
    const Image image(tree, GetParam() * kMiB);
    image.tool("fsck.fat", {"-n", "-v", image.path()});
    for (const auto& [path, entry] : tree.entries()) {
        if (entry.type == FileType::regular && !path.starts_with("EFI/BOOT/mod")) {
            EXPECT_EQ(image.tool("mtype", {"-i", image.path(), "::/" + path}), *entry.data);
        }
    }
    const std::string list = image.tool("mdir", {"-i", image.path(), "-a", "::/EFI/BOOT"});
    EXPECT_THAT(list, HasSubstr("BOOTX64  EFI    300001 2023-11-14  22:13"));
    EXPECT_THAT(list, HasSubstr("grub     cfg"));
    EXPECT_THAT(list, HasSubstr("Volume Serial Number is 1234-5678"));
    EXPECT_THAT(list, HasSubstr("Volume in drive : is ESP"));
}

INSTANTIATE_TEST_SUITE_P(Sizes, Fat, ::testing::Values(5U, 33U, 64U, 300U));

TEST(FatGolden, IsTheSameEverywhere) {
    EXPECT_EQ(
        sha256_file(Image(esp_tree(), 5 * kMiB).path()).hex(),
        "79db9e53087e457edfd08063ba6b8dd902c6e34fccd57015d3868fe0fe3c0611");
    EXPECT_EQ(
        sha256_file(Image(esp_tree(), 64 * kMiB).path()).hex(),
        "05a4637edc42325490c4afbe2208629c27320f2497c32a751c2c856003d73aa5");
}

TEST(FatErrors, RefusesOtherNames) {
    for (const char* name :
         {"much-too-long", "a.long", "mixedCas", "two.dots.x", ".hidden", "trail.", "sp ace"}) {
        FileTree tree = esp_tree();
        tree.put(name, make_file(""));
        EXPECT_EQ(
            failure(tree, 8 * kMiB),
            fmt::format("'/{}' is not a valid 8.3 file name for FAT", name));
    }
    FileTree tree = esp_tree();
    tree.put("efi", make_file(""));
    EXPECT_EQ(failure(tree, 8 * kMiB), "'/EFI' and '/efi' have the same name on FAT");
}

TEST(FatErrors, RefusesWhatDoesNotFit) {
    FileTree tree = esp_tree();
    EXPECT_EQ(failure(tree, 4 * kMiB), "a FAT partition of 4.0 MiB is too small: it needs 5.0 MiB");
    tree.put("big", make_file(noise(6 * kMiB)));
    EXPECT_EQ(failure(tree, 5 * kMiB), "the FAT partition of 5.0 MiB is full: cannot add '/big'");
    tree = esp_tree();
    tree.put("link", make_symlink("x"));
    EXPECT_EQ(
        failure(tree, 5 * kMiB),
        "'/link' is not a file or directory, which is all that FAT can store");
    EXPECT_EQ(failure(esp_tree(), 5 * kMiB, "lower"), "'lower' is not a valid FAT label");
}

TEST(FatLongNames, AreReadByOthersToo) {
    KILN_NEEDS_TOOL("fsck.fat");
    KILN_NEEDS_TOOL("mdir");
    FileTree tree;
    tree.put("", make_directory());
    tree.put("meta-data", make_file("instance-id: 1\n"));
    tree.put("meta-dates", make_file("not the same\n"));
    tree.put("short.txt", make_file("short\n"));
    tree.put("Sub Directory.d", make_directory());
    tree.put("Sub Directory.d/exactly-26-characters-long", make_file("26\n"));
    tree.put("user-data", make_file("#cloud-config\n"));
    const TempDir dir(temporary_root(), "kiln-fat-test-");
    const fs::path path = dir.path() / "seed";
    const UniqueFd fd = open_file(path, O_RDWR | O_CREAT);
    ASSERT_EQ(::ftruncate(fd.get(), 8 * kMiB), 0);
    FatOptions options{0x12345678, "CIDATA", kTestTime};
    options.long_names = true;
    write_fat(tree, options, fd.get(), 0, 8 * kMiB);
    int status = 0;
    const std::string judged = run_tool("fsck.fat", {"-n", "-v", path}, status);
    EXPECT_EQ(status, 0) << judged;
    for (const auto& [name, entry] : tree.entries()) {
        if (entry.type == FileType::regular) {
            EXPECT_EQ(run_tool("mtype", {"-i", path, "::/" + name}, status), *entry.data) << name;
        }
    }
    EXPECT_THAT(run_tool("mdir", {"-i", path, "::/"}, status), HasSubstr("META-D~2"));
    tree.put("what?", make_file(""));
    EXPECT_THROW(write_fat(tree, options, fd.get(), 0, 8 * kMiB), Error);
}

} // namespace
} // namespace kiln
