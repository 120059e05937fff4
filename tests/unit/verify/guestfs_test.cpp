// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "verify/inspect/image_inspect.hpp"
#include "verify/read/guestfs.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace kiln {
namespace {

class ApplianceHostTest : public testing::Test {
  protected:
    ApplianceHostTest() {
        fs::create_directories(dir_.path() / "boot");
        fs::create_directories(dir_.path() / "modules");
        fs::create_directories(dir_.path() / "bin");
        for (const char* program : {"qemu-system-x86_64", "qemu-img", "supermin"}) {
            put(fs::path("bin") / program, 0755);
        }
    }

    void put(const fs::path& path, unsigned mode) {
        write_file_atomically(dir_.path() / path, "x", mode);
    }

    [[nodiscard]] ApplianceHost host() const {
        return {dir_.path() / "boot", dir_.path() / "modules", (dir_.path() / "bin").string()};
    }

    void expect_fault(const std::string& message, const std::string& hint) {
        try {
            check_appliance_host(host());
            FAIL() << "no error";
        } catch (const Error& error) {
            EXPECT_EQ(error.message(), message);
            EXPECT_TRUE(error.hint().starts_with(hint)) << error.hint();
            EXPECT_EQ(error.exit_code(), ExitCode::failed);
        }
    }

    TempDir dir_{temporary_root(), "kiln-host"};
};

TEST_F(ApplianceHostTest, AcceptsAKernelWithItsModules) {
    put("boot/vmlinuz-6.1", 0644);
    fs::create_directories(dir_.path() / "modules/6.1");
    EXPECT_NO_THROW(check_appliance_host(host()));
}

TEST_F(ApplianceHostTest, NamesThePackageOfAMissingProgram) {
    fs::remove(dir_.path() / "bin/supermin");
    expect_fault("the libguestfs appliance requires 'supermin'", "run 'apt-get install supermin'");
    fs::remove(dir_.path() / "bin/qemu-system-x86_64");
    expect_fault(
        "the libguestfs appliance requires 'qemu-system-x86_64'",
        "run 'apt-get install qemu-system-x86'");
}

TEST_F(ApplianceHostTest, SaysThatAContainerHasNoKernel) {
    put("boot/vmlinuz-6.1", 0644); // without modules
    expect_fault(
        "the libguestfs appliance requires a kernel package: no '" +
            (dir_.path() / "boot").string() + "/vmlinuz-*' has modules in '" +
            (dir_.path() / "modules").string() + "'",
        "run 'apt-get install linux-image-cloud-amd64'");
}

TEST(DiskFormat, IsReadFromTheFirstBytes) {
    const TempDir dir(temporary_root(), "kiln-format");
    const auto format_of = [&](std::string text) {
        const fs::path path = dir.path() / "image";
        text.resize(1024);
        write_file_atomically(path, text);
        return detect_image_format(path);
    };
    EXPECT_EQ(format_of("QFI\xfb"), ImageFormat::qcow2);
    EXPECT_EQ(format_of("eh"), ImageFormat::raw);
    EXPECT_EQ(format_of("\x1f\x8b\x08"), ImageFormat::docker);
    EXPECT_EQ(format_of(std::string(257, '\0') + "ustar"), ImageFormat::docker);

    fs::create_directories(dir.path() / "layout");
    try {
        static_cast<void>(detect_image_format(dir.path() / "layout"));
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(
            error.message(),
            "'" + (dir.path() / "layout").string() +
                "' is a directory, but not an OCI image layout");
        EXPECT_FALSE(error.hint().empty());
    }
    write_file_atomically(dir.path() / "layout/oci-layout", "{}");
    EXPECT_EQ(detect_image_format(dir.path() / "layout"), ImageFormat::oci);
}

} // namespace
} // namespace kiln
