// SPDX-License-Identifier: MIT
//
// Container images by somebody who means harm: no file of the host is read through them, nothing is
// written, and each ends with a message and an exit code of kiln's own.
#include "oci/docker_archive.hpp"
#include "oci/oci_reader.hpp"
#include "support/expect_error.hpp"
#include "support/raw_layout.hpp"
#include "support/raw_tar.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace kiln {
namespace {

using namespace test;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class HostileImage : public testing::Test {
  protected:
    HostileImage() { write_file(victim(), secret_); }

    ~HostileImage() override { EXPECT_EQ(read_text_file(victim()), secret_); }

    [[nodiscard]] fs::path victim() const { return dir_.path() / "victim"; }

    [[nodiscard]] fs::path archive() const { return dir_.path() / "image.tar"; }

    static std::string refusal_of(const fs::path& image) {
        OciReadOptions options;
        options.limits.free_bytes = 16 << 20; // gigabytes take a test too long
        const std::string message =
            message_of([&] { static_cast<void>(read_oci_image(image, options)); });
        EXPECT_THAT(message, Not(HasSubstr("json.exception")));
        return message;
    }

    std::string refusal() { return refusal_of(layout_.path()); }

    std::string refusal_of_archive(const std::string& bytes) {
        write_file(archive(), bytes);
        return refusal_of(archive());
    }

    static std::string docker_manifest(const std::string& config, const std::string& layer) {
        return fmt::format(R"([{{"Config":"{}","Layers":["{}"]}}])", config, layer);
    }

    const std::string secret_ = R"({"config":{},"layers":[]})"; ///< would pass for a manifest
    TempDir dir_{temporary_root(), "kiln-hostile"};
    RawLayout layout_{dir_.path() / "layout"};
};

TEST_F(HostileImage, BlobsThatAreLinksAreNotFollowed) {
    layout_.index(fmt::format(
        R"({{"manifests":[{}]}})", RawLayout::descriptor(sha256(secret_), secret_.size())));
    fs::create_symlink(victim(), layout_.blob(secret_));
    EXPECT_THAT(refusal(), EndsWith("passes through a symbolic link"));
    fs::remove(layout_.path() / "index.json");
    fs::create_symlink(victim(), layout_.path() / "index.json");
    EXPECT_THAT(refusal(), EndsWith("index.json' passes through a symbolic link"));
}

TEST_F(HostileImage, FoldersThatAreLinksAreNotFollowed) {
    static_cast<void>(layout_.put(secret_));
    layout_.index(fmt::format(
        R"({{"manifests":[{}]}})", RawLayout::descriptor(sha256(secret_), secret_.size())));
    fs::rename(layout_.path() / "blobs", dir_.path() / "elsewhere");
    fs::create_directory_symlink(dir_.path() / "elsewhere", layout_.path() / "blobs");
    EXPECT_THAT(refusal(), EndsWith("passes through a symbolic link"));
}

TEST_F(HostileImage, BlobsThatArePipesAreNotWaitedFor) {
    layout_.index(
        fmt::format(R"({{"manifests":[{}]}})", RawLayout::descriptor(sha256(secret_), 0)));
    ASSERT_EQ(::mkfifo(layout_.blob(secret_).c_str(), 0600), 0);
    EXPECT_THAT(refusal(), EndsWith("is not a regular file"));
}

TEST_F(HostileImage, SizesAreComparedBeforeReading) {
    static_cast<void>(layout_.put("layer"));
    layout_.image(
        R"({"rootfs":{"diff_ids":["sha256:)" + sha256("").hex() + R"("]}})",
        RawLayout::descriptor(sha256("layer"), std::uint64_t{1} << 62U));
    EXPECT_EQ(refusal(), "checksum mismatch for blob '" + sha256("layer").to_string() + "'");
}

TEST_F(HostileImage, LargeJsonIsNotRead) {
    layout_.index("");
    fs::resize_file(layout_.path() / "index.json", std::uintmax_t{1} << 40U);
    EXPECT_THAT(refusal(), EndsWith("index.json' is too large: 1.0 TiB, the limit is 8.0 MiB"));
    layout_.index(std::string(1 << 20, '['));
    EXPECT_EQ(refusal(), "malformed JSON in 'index.json': nested more than 64 levels deep");
}

TEST_F(HostileImage, WrongTypesAreNamed) {
    for (const auto& [text, message] : std::vector<std::pair<std::string, std::string>>{
             {"[]", "index.json must be an object"},
             {"{}", "index.json has no 'manifests'"},
             {R"({"manifests":{}})", "'manifests' of index.json must be a list"},
             {R"({"manifests":[1]})", "item 1 of 'manifests' of index.json must be an object"},
             {R"({"manifests":[{}]})", "item 1 of 'manifests' of index.json has no 'digest'"},
             {R"({"manifests":[{"digest":"sha256:\u001b[2J"}]})",
              "'sha256:\\x1b[2J' is not a SHA-256 digest"},
             {R"({"manifests":[{"digest":"sha256:)" + sha256("").hex() + R"(","size":-1}]})",
              "'size' of item 1 of 'manifests' of index.json must be a whole number"},
             {R"({"manifests":[{"digest":"sha256:)" + sha256("").hex() +
                  R"(","size":1,"annotations":{"a":1}}]})",
              "'annotations' of item 1 of 'manifests' of index.json must be an object of strings"},
             {R"({"manifests":[{"digest":"sha256:)" + sha256("").hex() +
                  R"(","size":1,"platform":"linux"}]})",
              "'platform' of item 1 of 'manifests' of index.json must be an object"}}) {
        layout_.index(text);
        EXPECT_EQ(refusal(), message);
    }
    for (const auto& [text, message] : std::vector<std::pair<std::string, std::string>>{
             {"{}", "image manifest has no 'config'"},
             {R"({"config":[]})", "'config' of image manifest must be an object"},
             {"null", "image manifest must be an object"}}) {
        layout_.manifest(text);
        EXPECT_EQ(refusal(), message);
    }
    for (const auto& [text, message] : std::vector<std::pair<std::string, std::string>>{
             {"{}", "image config has no 'rootfs'"},
             {R"({"rootfs":{"diff_ids":[1]}})",
              "'diff_ids' of 'rootfs' of image config must be a list of strings"},
             {R"({"rootfs":{"diff_ids":[]},"history":["x"]})",
              "item 1 of 'history' of image config must be an object"},
             {R"({"rootfs":{"diff_ids":[]},"created":7})",
              "'created' of image config must be a string"},
             {R"({"rootfs":{"diff_ids":[]},"config":{"Env":"x"}})",
              "'Env' of 'config' of image config must be a list of strings"},
             {R"({"rootfs":{"diff_ids":[]},"config":{"Healthcheck":{"Retries":1.5}}})",
              "'Retries' of 'Healthcheck' of 'config' of image config must be a whole number"}}) {
        layout_.image(text, "");
        EXPECT_EQ(refusal(), message);
    }
}

TEST_F(HostileImage, LayersOfZerosEndEarly) {
    const std::string zeros(1 << 20, '\0');
    const std::string head =
        RawTar().add({"zeros", '0', "", "", "00400000000"}).bytes().substr(0, 512);
    layout_.layer(gzip_repeated(head, zeros, 65), Digest());
    EXPECT_THAT(refusal(), HasSubstr("' expands "));
}

TEST_F(HostileImage, LayersOfLongPathsEndEarly) {
    std::string path;
    while (path.size() < 100'000) {
        path += "d/";
    }
    layout_.layer(RawTar().pax({{"path", path + "f"}}).file("f").bytes(), Digest());
    EXPECT_THAT(refusal(), StartsWith("archive member has a path of 100001 bytes"));
}

TEST_F(HostileImage, LayersLeadNowhereElse) {
    layout_.layer(RawTar().file("../victim", "evil").bytes(), Digest());
    EXPECT_EQ(refusal(), "archive member has an invalid name '../victim'");
    layout_.layer(RawTar().hard_link("a", victim()).bytes(), Digest());
    EXPECT_THAT(refusal(), StartsWith("archive member has an invalid name '/"));
    layout_.layer(RawTar().symlink("a", dir_.path()).file("a/victim", "evil").bytes(), Digest());
    EXPECT_EQ(refusal(), "'/a' has members, but is not a directory");
    layout_.layer(RawTar().sparse("huge", std::uint64_t{4} << 60U).bytes(), Digest());
    EXPECT_THAT(refusal(), HasSubstr("has a member 'huge' of 4194304.0 TiB"));
}

TEST_F(HostileImage, ArchivesNameOnlyTheirOwnFiles) {
    EXPECT_EQ(
        refusal_of_archive(RawTar().file("../victim", "evil").bytes()),
        "archive member has an invalid name '../victim'");
    EXPECT_EQ(
        refusal_of_archive(
            RawTar().file("manifest.json", docker_manifest("../victim", "x")).bytes()),
        "archive member has an invalid name '../victim'");
    EXPECT_EQ(
        refusal_of_archive(
            RawTar().file("manifest.json", docker_manifest(victim().string(), "x")).bytes()),
        "archive member has an invalid name '" + victim().string() + "'");
    EXPECT_EQ(
        refusal_of_archive(RawTar()
                               .symlink("config.json", victim())
                               .file("manifest.json", docker_manifest("config.json", "x"))
                               .bytes()),
        "'" + archive().string() + "' does not contain the file 'config.json'");
    EXPECT_EQ(
        refusal_of_archive(RawTar().file("a", "1").file("a", "2").bytes()), "duplicate member 'a'");
    EXPECT_EQ(
        refusal_of_archive(RawTar().file("manifest.json", R"([{"Config":1}])").bytes()),
        "'Config' of item 1 of manifest.json must be a string");
    EXPECT_EQ(
        refusal_of_archive(
            RawTar().file("manifest.json", R"([{"RepoTags":[1],"Config":"x"}])").bytes()),
        "'RepoTags' of item 1 of manifest.json must be a list of strings");
    EXPECT_EQ(
        refusal_of_archive(RawTar().file("manifest.json", "{}").bytes()),
        "manifest.json must be a list");
}

TEST_F(HostileImage, ArchivesAreNotUnpackedWithoutMeasure) {
    const std::string zeros(1 << 20, '\0');
    const std::string head =
        RawTar().add({"zeros", '0', "", "", "00400000000"}).bytes().substr(0, 512);
    EXPECT_THAT(
        refusal_of_archive(gzip_repeated(head, zeros, 65)), HasSubstr("image.tar' expands "));
}

TEST_F(HostileImage, NothingOfTheHostIsPackedForDocker) {
    const std::string config = R"({"rootfs":{"diff_ids":[]}})";
    layout_.image(config, RawLayout::descriptor(sha256(secret_), secret_.size()));
    fs::create_symlink(victim(), layout_.blob(secret_));
    MemorySink sink;
    EXPECT_THAT(
        message_of([&] { write_docker_archive(layout_.path(), {"a:b"}, sink); }),
        EndsWith("passes through a symbolic link"));
    EXPECT_EQ(sink.data().size(), 0U);
    fs::remove(layout_.path() / "oci-layout");
    fs::create_symlink(victim(), layout_.path() / "oci-layout");
    layout_.image(config, "");
    EXPECT_THAT(
        message_of([&] { write_docker_archive(layout_.path(), {"a:b"}, sink); }),
        EndsWith("oci-layout' passes through a symbolic link"));
}

TEST_F(HostileImage, NamesThatAreNoReferencesReachNoEngine) {
    const std::string manifest =
        fmt::format(R"({{"config":{},"layers":[]}})", layout_.put(R"({"rootfs":{"diff_ids":[]}})"));
    layout_.index(fmt::format(
        R"({{"manifests":[{}]}})",
        layout_.put(manifest, R"(,"annotations":{"io.containerd.image.name":"--privileged"})")));
    MemorySink sink;
    EXPECT_EQ(
        message_of([&] { write_docker_archive(layout_.path(), {}, sink); }),
        "'--privileged' is not a valid image reference");
}

} // namespace
} // namespace kiln
