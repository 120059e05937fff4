// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "oci/oci.hpp"
#include "support/expect_error.hpp"
#include "support/raw_qcow2.hpp"
#include "support/sample_systems.hpp"
#include "verify/inspect/image_inspect.hpp"
#include "verify/inspect/inspect_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sstream>

namespace kiln {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::Not;

ImageInfo sample_info() {
    ImageInfo info;
    info.path = "out/pause.qcow2";
    info.format = ImageFormat::qcow2;
    info.disk = DiskInfo{.size_bytes = 4ULL << 30U, .table = "gpt", .guid = "AB-CD"};
    info.disk->partitions.push_back(
        {.number = 3,
         .start_bytes = 1 << 20,
         .size_bytes = 3ULL << 30U,
         .type = "0FC63DAF-8483-4772-8E79-3D69D8477DE4",
         .guid = "EF",
         .name = "root",
         .filesystem = FilesystemInfo{"ext4", "root", "02c9"}});
    const FileTree tree = sample_system();
    TreeFiles files(tree);
    info.system = read_system_info(files);
    return info;
}

TEST(InspectReport, IsReadByPeople) {
    EXPECT_EQ(
        render_inspection(sample_info(), false),
        "out/pause.qcow2 (qcow2)\n"
        "disk\n"
        "  size            4.0 GiB\n"
        "  table           gpt AB-CD\n"
        "   3     3.0 GiB at    1.0 MiB  Linux 'root': ext4 'root' 02c9\n"
        "system\n"
        "  release         Debian GNU/Linux 12 (bookworm)\n"
        "  point release   12.9\n"
        "  host name       pause\n"
        "  kernels         6.1.0-30-cloud-amd64\n"
        "  modules         6.1.0-30-cloud-amd64\n"
        "  packages        2\n"
        "  user            root 0:0 /root /bin/bash\n"
        "  user            pause 1000:1000 /home/pause /bin/sh\n"
        "  unit            getty@tty1.service (getty.target)\n"
        "  unit            nginx.service (multi-user.target)\n"
        "  runit services  nginx paused\n");
    const std::string all = render_inspection(sample_info(), true);
    EXPECT_THAT(all, HasSubstr("nginx 1.22.1-9 amd64\n"));
    EXPECT_THAT(all, HasSubstr("www-data 33:33"));
    EXPECT_THAT(all, HasSubstr("group           adm 4 pause,www-data\n"));
}

TEST(InspectReport, IsReadByPrograms) {
    const nlohmann::ordered_json json = inspection_to_json(sample_info());
    EXPECT_EQ(json.at("format"), "qcow2");
    EXPECT_EQ(json.at("disk").at("partitions").at(0).at("filesystem").at("type"), "ext4");
    EXPECT_EQ(json.at("disk").at("partitions").at(0).at("start"), 1 << 20);
    EXPECT_EQ(json.at("system").at("packages").at(1).at("name"), "nginx");
    EXPECT_EQ(json.at("system").at("users").at(2).at("uid"), 1000);
    EXPECT_EQ(json.at("system").at("units").at(1).at("wanted_by"), "multi-user.target");
    EXPECT_FALSE(json.contains("container"));
}

class InspectOci : public testing::Test {
  protected:
    InspectOci() {
        OciImage image;
        image.layers.push_back({"stage debian", "", tree_, nullptr});
        image.config.cmd = {"/start", "now"};
        image.config.exposed_ports = {"80/tcp"};
        image.config.env = {"PATH=/bin"};
        image.epoch = kEpoch;
        image.image_name = "docker.io/library/kiln-sample:1";
        image.ref_name = "1";
        static_cast<void>(write_oci_layout(image, layout_, {}));
    }

    FileTree tree_ = sample_system();
    TempDir dir_{temporary_root(), "kiln-inspect-test"};
    fs::path layout_ = dir_.path() / "sample.oci";
    std::ostringstream stderr_;
    Console console_{stderr_, {}};
};

TEST_F(InspectOci, ReadsALayoutWithoutAnAppliance) {
    const ImageInfo info = inspect_image(layout_, {}, console_);
    EXPECT_EQ(info.format, ImageFormat::oci);
    EXPECT_FALSE(info.disk);
    EXPECT_EQ(info.system->packages.size(), 2U);
    const std::string text = render_inspection(info, false);
    EXPECT_THAT(text, HasSubstr("platform        linux/amd64\n"));
    EXPECT_THAT(text, HasSubstr("command         /start now\n"));
    EXPECT_THAT(text, HasSubstr("stage debian\n"));
    EXPECT_THAT(text, HasSubstr("release         Debian GNU/Linux 12 (bookworm)\n"));
    EXPECT_EQ(inspection_to_json(info).at("container").at("config").at("Cmd").at(0), "/start");
}

TEST_F(InspectOci, ComparesWithTheRecord) {
    EXPECT_NO_THROW(static_cast<void>(
        inspect_image(layout_, {.format = ImageFormat::oci, .expected = &tree_}, console_)));
    FileTree other = tree_;
    other.entries().at("etc/hostname").mode = 0600;
    try {
        static_cast<void>(
            inspect_image(layout_, {.format = ImageFormat::oci, .expected = &other}, console_));
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "'" + layout_.string() + "' differs from its record in 1 path");
        EXPECT_EQ(error.exit_code(), ExitCode::differs);
        EXPECT_EQ(error.details().at(0), "/etc/hostname: mode 0600 expected, 0644 found");
    }
}

TEST_F(InspectOci, ReadsTheTreeThatLintNeeds) {
    const FileTree tree = read_image_tree(layout_, ImageFormat::oci, console_);
    EXPECT_EQ(*tree.find("etc/hostname")->data, "pause\n");
    EXPECT_EQ(tree.find("usr/lib/os-release")->data, nullptr);
    EXPECT_TRUE(tree.find("usr/lib/os-release")->source.empty());
}

TEST_F(InspectOci, ShowsNothingThatATerminalObeys) {
    ImageInfo info = inspect_image(layout_, {}, console_);
    info.system->hostname = "\x1b]0;evil\x07";
    info.container->config.labels["caf\xe9"] = "\xff\n";
    const std::string text = render_inspection(info, true);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_THAT(text, HasSubstr("host name       \\x1b]0;evil\\x07\n"));
    EXPECT_THAT(text, HasSubstr("label           caf\\xe9=\\xff\\x0a\n"));
    const auto json = inspection_to_json(info);
    EXPECT_NO_THROW(static_cast<void>(json.dump()));
    EXPECT_EQ(json.at("container").at("config").at("Labels").at("caf\\xe9"), "\\xff\n");
}

TEST_F(InspectOci, RefusesOtherImagesByName) {
    const fs::path vmdk = dir_.path() / "x.vmdk";
    write_file(vmdk, "KDMV" + std::string(600, '\0'));
    EXPECT_EQ(
        message_of([&] { static_cast<void>(inspect_image(vmdk, {}, console_)); }),
        "'" + vmdk.string() + "' is a VMDK image, which kiln does not support");
    const fs::path disk = dir_.path() / "x.qcow2";
    write_file(disk, RawQcow2().set(8, 0x200, 8).text(0x200, "/etc/shadow").bytes());
    const auto inspecting = [&] { static_cast<void>(inspect_image(disk, {}, console_)); };
    const std::string refused = "'" + disk.string() + "' refers to another file (backing file)";
    EXPECT_EQ(message_of(inspecting), refused);
    EXPECT_EQ(
        message_of([&] { static_cast<void>(read_image_tree(disk, ImageFormat::qcow2, console_)); }),
        refused);
}

} // namespace
} // namespace kiln
