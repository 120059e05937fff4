// SPDX-License-Identifier: MIT
//
// Other people's programs judge our images: umoci, skopeo, podman, oci-image-tool and the
// specification's own JSON schemas. A program that is missing is a skipped test that says so.
#include "base/process.hpp"
#include "formats/docker_archive.hpp"
#include "formats/oci.hpp"
#include "support/sample_images.hpp"
#include "support/plain_scan.hpp"

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

class OciToolsTest : public testing::TestWithParam<LayerCompression> {
  protected:
    void SetUp() override {
        OciWriteOptions options;
        options.compression = GetParam();
        options.jobs = 2;
        OciImage image = test::sample_image(below_);
        image.config.user = "0:0"; // umoci looks names up in the image's own passwd
        written_ = write_oci_layout(image, layout(), options);
    }

    [[nodiscard]] fs::path layout() const { return dir_.path() / "image.oci"; }

    ProcessResult run(const std::string& program, const std::vector<std::string>& args) {
        Command command{program, args, {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}}};
        command.env["HOME"] = dir_.path().string();
        command.env["LC_ALL"] = "C.UTF-8";
        command.env["TMPDIR"] = dir_.path().string();
        return runner_.run(command);
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

TEST_P(OciToolsTest, UmociUnpacksTheTreeThatWasWritten) {
    NEED_PROGRAM("umoci");
    std::vector<std::string> args = {
        "unpack", "--image", layout().string() + ":1", (dir_.path() / "bundle").string()};
    if (!is_root()) {
        args.insert(args.begin() + 1, "--rootless");
    }
    if (GetParam() == LayerCompression::zstd) {
        GTEST_SKIP() << "umoci 0.4 knows no zstd layers";
    }
    const ProcessResult result = run("umoci", args);
    ASSERT_TRUE(result.ok()) << result.output;
    FileTree expected = below_;
    expected.apply(test::change(), 1);
    FileTree found = test::scan_tree(dir_.path() / "bundle/rootfs");
    if (!is_root()) {
        for (auto& [path, entry] : found.entries()) {
            entry.uid = entry.gid = 0;
        }
    }
    EXPECT_EQ(manifest_of(found), manifest_of(expected));
}

TEST_P(OciToolsTest, SkopeoReadsTheLayout) {
    NEED_PROGRAM("skopeo");
    const ProcessResult result = run("skopeo", {"inspect", "oci:" + layout().string() + ":1"});
    ASSERT_TRUE(result.ok()) << result.output;
    EXPECT_THAT(
        result.output, HasSubstr("\"Digest\": \"" + written_.manifest.digest.to_string() + "\""));
    EXPECT_THAT(result.output, HasSubstr("\"Created\": \"2026-04-01T12:00:00Z\""));
    const ProcessResult copied =
        run("skopeo",
            {"copy",
             "--insecure-policy",
             "oci:" + layout().string() + ":1",
             "dir:" + (dir_.path() / "copy").string()});
    EXPECT_TRUE(copied.ok()) << copied.output;
}

TEST_P(OciToolsTest, OciImageToolFindsNoFault) {
    NEED_PROGRAM("oci-image-tool");
    if (GetParam() == LayerCompression::zstd) {
        GTEST_SKIP() << "oci-image-tool knows no zstd layers";
    }
    const ProcessResult result = run(
        "oci-image-tool", {"validate", "--type", "image", "--ref", "name=1", layout().string()});
    EXPECT_TRUE(result.ok()) << result.output;
    EXPECT_THAT(result.output, HasSubstr("Validation succeeded"));
}

TEST_P(OciToolsTest, FitsTheSchemasOfTheSpecification) {
    const fs::path schemas = "/usr/share/gocode/src/github.com/opencontainers/image-spec/schema";
    if (!fs::exists(schemas)) {
        GTEST_SKIP() << "needs golang-github-opencontainers-image-spec-dev";
    }
    const std::string script =
        std::string(KILN_SOURCE_DIR) + "/tests/functional/check_oci_schemas.py";
    const ProcessResult result =
        run("/usr/bin/python3", {script, schemas.string(), layout().string()});
    EXPECT_TRUE(result.ok()) << result.output;
}

TEST_P(OciToolsTest, PodmanLoadsTheDockerArchive) {
    NEED_PROGRAM("podman");
    if (GetParam() == LayerCompression::zstd || !is_root()) {
        GTEST_SKIP() << "needs root, and layers that Docker reads";
    }
    const fs::path archive = dir_.path() / "image.docker.tar";
    {
        AtomicFile file(archive);
        write_docker_archive(layout(), {}, file);
        file.commit();
    }
    const std::vector<std::string> storage = {
        "--root",
        (dir_.path() / "storage").string(),
        "--runroot",
        (dir_.path() / "run").string(),
        "--storage-driver",
        "vfs"};
    const auto podman = [&](std::vector<std::string> args) {
        args.insert(args.begin(), storage.begin(), storage.end());
        return run("podman", args);
    };
    const ProcessResult loaded = podman({"load", "-q", "-i", archive.string()});
    ASSERT_TRUE(loaded.ok()) << loaded.output;
    EXPECT_THAT(loaded.output, HasSubstr("docker.io/library/kiln-sample:1"));
    const ProcessResult inspected =
        podman({"image", "inspect", "-f", "{{.Id}}", "docker.io/library/kiln-sample:1"});
    EXPECT_THAT(inspected.output, HasSubstr(written_.config.digest.hex()));
}

std::string compression_name(const testing::TestParamInfo<LayerCompression>& compression) {
    constexpr std::array kNames = {"None", "Gzip", "Zstd"};
    return kNames.at(static_cast<std::size_t>(compression.param));
}

INSTANTIATE_TEST_SUITE_P(
    Compressions,
    OciToolsTest,
    testing::Values(LayerCompression::none, LayerCompression::gzip, LayerCompression::zstd),
    compression_name);

} // namespace
} // namespace kiln
