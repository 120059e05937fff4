// SPDX-License-Identifier: MIT
//
// Other people's programs judge our images: umoci, skopeo, podman, oci-image-tool and the
// specification's own JSON schemas. A program that is missing is a skipped test that says so.
#include "base/process/process.hpp"
#include "base/text.hpp"
#include "oci/docker_archive.hpp"
#include "oci/oci.hpp"
#include "support/sample_images.hpp"
#include "support/scan_tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

namespace kiln {
namespace {

using testing::HasSubstr;

#define NEED_PROGRAM(name)                                                                         \
    if (find_program(name).empty()) {                                                              \
        GTEST_SKIP() << "needs " << (name);                                                        \
    }

bool is_root() {
    return ::geteuid() == 0;
}

/// Why podman cannot unpack layers here; empty when it can.
std::string why_no_podman() {
    if (!is_root()) {
        return "needs root";
    }
    // MOUNT-ID PARENT MAJOR:MINOR ROOT MOUNT-POINT ..., see proc(5).
    for (const std::string& line : split_lines(read_text_file("/proc/self/mountinfo"))) {
        const auto fields = split(line, ' ');
        if (fields.size() > 4 && fields[4] == "/") {
            return {};
        }
    }
    return "podman unpacks nothing in a plain chroot";
}

class OciToolsTest : public testing::Test {
  protected:
    void write(LayerCompression compression) {
        OciWriteOptions options;
        options.compression = compression;
        options.jobs = 2;
        OciImage image = test::sample_image(below_);
        image.config.user = "0:0"; // umoci looks names up in the image's own own passwd
        written_ = write_oci_layout(image, layout(), options);
    }

    [[nodiscard]] fs::path layout() const { return dir_.path() / "image.oci"; }

    [[nodiscard]] std::string image() const { return layout().string() + ":1"; }

    ProcessResult run(const std::string& program, const std::vector<std::string>& args) {
        Command command{program, args, {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}}};
        command.env["HOME"] = dir_.path().string();
        command.env["LC_ALL"] = "C.UTF-8";
        command.env["TMPDIR"] = dir_.path().string();
        command.cwd = dir_.path(); // podman makes names of paths, and refuses capitals in them
        return runner_.run(command);
    }

    /// podman with storage of its own.
    ProcessResult podman(std::vector<std::string> args) {
        const std::vector<std::string> storage = {
            "--root",
            (dir_.path() / "storage").string(),
            "--runroot",
            (dir_.path() / "run").string(),
            "--storage-driver",
            "vfs"};
        args.insert(args.begin(), storage.begin(), storage.end());
        return run("podman", args);
    }

    // Owners, devices and attributes need the superuser to unpack.
    FileTree below_ = is_root() ? test::full_tree() : test::plain_tree();
    TempDir dir_{temporary_root(), "oci-tools-test"};
    SystemProcessRunner runner_;
    OciWritten written_;
};

std::string manifest_of(const FileTree& tree) {
    MemorySink sink;
    write_manifest(tree, sink);
    return std::string(sink.text());
}

constexpr std::array kAll = {
    LayerCompression::none, LayerCompression::gzip, LayerCompression::zstd};
/// What programs of Debian 12 read that know no zstd layers.
constexpr std::array kOld = {LayerCompression::none, LayerCompression::gzip};

TEST_F(OciToolsTest, UmociUnpacksTheTreeThatWasWritten) {
    NEED_PROGRAM("umoci");
    FileTree expected = below_;
    expected.apply(test::change(), 1);
    for (const auto compression : kOld) {
        write(compression);
        const fs::path bundle = dir_.path() / layer_media_type(compression).substr(30);
        std::vector<std::string> args = {"unpack", "--image", image(), bundle.string()};
        if (!is_root()) {
            args.insert(args.begin() + 1, "--rootless");
        }
        const ProcessResult result = run("umoci", args);
        ASSERT_TRUE(result.ok()) << result.output;
        FileTree found = test::scan_tree(bundle / "rootfs", test::Contents::digested);
        if (!is_root()) {
            for (auto& [path, entry] : found.entries()) {
                entry.uid = entry.gid = 0;
            }
        }
        EXPECT_EQ(manifest_of(found), manifest_of(expected));
    }
}

TEST_F(OciToolsTest, SkopeoReadsTheLayout) {
    NEED_PROGRAM("skopeo");
    for (const auto compression : kAll) {
        write(compression);
        const ProcessResult result = run("skopeo", {"inspect", "oci:" + image()});
        ASSERT_TRUE(result.ok()) << result.output;
        EXPECT_THAT(
            result.output,
            HasSubstr("\"Digest\": \"" + written_.manifest.digest.to_string() + "\""));
        EXPECT_THAT(result.output, HasSubstr("\"Created\": \"2026-04-01T12:00:00Z\""));
        const std::string copy_to = "dir:" + (dir_.path() / "copy").string();
        const ProcessResult copied =
            run("skopeo", {"copy", "--insecure-policy", "oci:" + image(), copy_to});
        EXPECT_TRUE(copied.ok()) << copied.output;
    }
}

TEST_F(OciToolsTest, OciImageToolFindsNoFault) {
    NEED_PROGRAM("oci-image-tool");
    for (const auto compression : kOld) {
        write(compression);
        const ProcessResult result =
            run("oci-image-tool",
                {"validate", "--type", "image", "--ref", "name=1", layout().string()});
        EXPECT_TRUE(result.ok()) << result.output;
        EXPECT_THAT(result.output, HasSubstr("Validation succeeded"));
    }
}

TEST_F(OciToolsTest, FitsTheSchemasOfTheSpecification) {
    const fs::path schemas = "/usr/share/gocode/src/github.com/opencontainers/image-spec/schema";
    if (!fs::exists(schemas)) {
        GTEST_SKIP() << "needs golang-github-opencontainers-image-spec-dev";
    }
    const std::string script =
        std::string(KILN_SOURCE_DIR) + "/tests/functional/check_oci_schemas.py";
    const auto check = [&] {
        return run("/usr/bin/python3", {script, schemas.string(), layout().string()});
    };
    for (const auto compression : kAll) {
        write(compression);
        const ProcessResult result = check();
        EXPECT_TRUE(result.ok()) << result.output;
    }
    // The schemas are really applied.
    std::string index = read_text_file(layout() / "index.json");
    index.replace(index.find(":2,"), 3, ":3,");
    write_file_atomically(layout() / "index.json", index);
    const ProcessResult wrong = check();
    EXPECT_EQ(wrong.exit_status, 1);
    EXPECT_EQ(wrong.output, "index: schemaVersion: 3 is greater than the maximum of 2\n");
}

TEST_F(OciToolsTest, PodmanPullsEveryCompression) {
    NEED_PROGRAM("podman");
    if (const std::string reason = why_no_podman(); !reason.empty()) {
        GTEST_SKIP() << reason;
    }
    for (const auto compression : kAll) {
        write(compression);
        const ProcessResult pulled = podman({"pull", "-q", "oci:image.oci:1"});
        EXPECT_TRUE(pulled.ok()) << pulled.output;
        EXPECT_THAT(pulled.output, HasSubstr(written_.config.digest.hex()));
    }
}

TEST_F(OciToolsTest, PodmanLoadsTheDockerArchive) {
    NEED_PROGRAM("podman");
    if (const std::string reason = why_no_podman(); !reason.empty()) {
        GTEST_SKIP() << reason;
    }
    write(LayerCompression::gzip);
    const fs::path archive = dir_.path() / "image.docker.tar";
    {
        AtomicFile file(archive);
        write_docker_archive(layout(), {}, file);
        file.commit();
    }
    const ProcessResult loaded = podman({"load", "-q", "-i", archive.string()});
    ASSERT_TRUE(loaded.ok()) << loaded.output;
    EXPECT_THAT(loaded.output, HasSubstr("docker.io/library/kiln-sample:1"));
    const ProcessResult inspected =
        podman({"image", "inspect", "-f", "{{.Id}}", "docker.io/library/kiln-sample:1"});
    EXPECT_THAT(inspected.output, HasSubstr(written_.config.digest.hex()));
}

} // namespace
} // namespace kiln
