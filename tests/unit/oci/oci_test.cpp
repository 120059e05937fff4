// SPDX-License-Identifier: MIT
#include "archive/archive_reader.hpp"
#include "archive/tar_writer.hpp"
#include "base/error.hpp"
#include "oci/docker_archive.hpp"
#include "oci/oci.hpp"
#include "oci/oci_reader.hpp"
#include "support/sample_images.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace kiln {
namespace {

using namespace test;
using testing::HasSubstr;

class OciTest : public testing::Test {
  protected:
    [[nodiscard]] fs::path layout() const { return dir_.path() / "image.oci"; }

    [[nodiscard]] fs::path blob(const Digest& digest) const {
        return layout() / "blobs/sha256" / digest.hex();
    }

    OciWritten write(const OciImage& image, const OciWriteOptions& options = {}) {
        return write_oci_layout(image, layout(), options);
    }

    Error failure(const std::function<void()>& body) {
        try {
            body();
        } catch (const Error& error) {
            EXPECT_EQ(error.exit_code(), ExitCode::failed);
            return error;
        }
        return Error("no error");
    }

    FileTree below_ = full_tree();
    OciImage image_ = sample_image(below_);
    TempDir dir_{temporary_root(), "oci-test"};
};

FileTree merged(const FileTree& below) {
    FileTree tree = below;
    tree.apply(change(), 1);
    return tree;
}

TEST_F(OciTest, WritesTheSameImageForever) {
    const OciWritten written = write(image_);
    ASSERT_EQ(written.layers.size(), 2U);
    EXPECT_EQ(
        written.layers[0].diff_id.hex(),
        "71c38614ee4a33dd19c8b6c8293eae3597b28b80006d7add4b02d5efa57126f5");
    EXPECT_EQ(
        written.layers[1].diff_id.hex(),
        "e7b18d1a30e5a9eb465061cea3f053e0635b3587f7d533b4abca9f92ea7f2619");
    EXPECT_EQ(
        written.config.digest.hex(),
        "39d647aa858df59b6879adc3b95aa5766a9cc4ed3eba9a68d34bbd76648fffbd");
}

TEST_F(OciTest, WritesTheSameCompressedBytesForever) {
    // Change with libdeflate's and libzstd's versions; that is a change of kiln's output version.
    EXPECT_EQ(
        write(image_).manifest.digest.hex(),
        "19a5cccf33c4c95245ea25f718ce1e7ae4d853898237dff60381072205258bb8");
    OciWriteOptions zstd;
    zstd.compression = LayerCompression::zstd;
    EXPECT_EQ(
        write(image_, zstd).manifest.digest.hex(),
        "d4ca9308cf59f9f1a21361cef9a5903d47fae813053335bb92ab7126c9a5b79d");
}

TEST_F(OciTest, WritesCanonicalJson) {
    const OciWritten written = write(image_);
    EXPECT_EQ(read_text_file(layout() / "oci-layout"), R"({"imageLayoutVersion":"1.0.0"})");
    EXPECT_EQ(
        read_text_file(layout() / "index.json"),
        R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)"
        R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
            written.manifest.digest.to_string() + R"(","size":)" +
            std::to_string(written.manifest.size) +
            R"(,"annotations":{"io.containerd.image.name":"docker.io/library/kiln-sample:1",)"
            R"("org.opencontainers.image.ref.name":"1"},)"
            R"("platform":{"architecture":"amd64","os":"linux"}}]})");
    EXPECT_EQ(
        read_text_file(blob(written.config.digest)),
        R"({"created":"2026-04-01T12:00:00Z","architecture":"amd64","os":"linux","config":{)"
        R"("User":"www-data","ExposedPorts":{"443/tcp":{},"80/tcp":{}},"Env":["PATH=/usr/bin"],)"
        R"("Entrypoint":["/usr/bin/tini","--"],"Cmd":["/start"],)"
        R"("Healthcheck":{"Test":["CMD","/check"],"Interval":30000000000,"Retries":3},)"
        R"("WorkingDir":"/","Labels":{"org.opencontainers.image.title":"Sample"},)"
        R"("StopSignal":"SIGTERM"},"rootfs":{"type":"layers","diff_ids":[")" +
            written.layers[0].diff_id.to_string() + R"(",")" +
            written.layers[1].diff_id.to_string() +
            R"("]},"history":[{"created":"2026-04-01T12:00:00Z","created_by":"stage debian"},)"
            R"({"created":"2026-04-01T12:00:00Z","created_by":"stage change","comment":"second"}]})");
}

TEST_F(OciTest, IsReadBackAsTheSameTree) {
    for (const auto compression :
         {LayerCompression::none, LayerCompression::gzip, LayerCompression::zstd}) {
        OciWriteOptions options;
        options.compression = compression;
        options.jobs = 2;
        const OciWritten written = write(image_, options);
        const OciReadImage read = read_oci_image(layout());
        EXPECT_EQ(read.tree.digest(), merged(below_).digest());
        EXPECT_EQ(read.manifest.descriptor.digest, written.manifest.digest);
        EXPECT_EQ(read.layers[1].blob.diff_id, written.layers[1].diff_id);
        EXPECT_EQ(read.layers[1].created_by, "stage change");
        EXPECT_EQ(read.layers[0].media_type, layer_media_type(compression));
        EXPECT_EQ(read.config.entrypoint, image_.config.entrypoint);
        EXPECT_EQ(read.config.healthcheck->interval_ns, 30'000'000'000);
        EXPECT_EQ(read.names, std::vector<std::string>{"docker.io/library/kiln-sample:1"});
        EXPECT_EQ(read.tree.find("usr/bin/new")->stage, 1U);
        EXPECT_EQ(read.tree.find("usr/bin/sudo")->stage, 0U);
    }
}

TEST_F(OciTest, KeepsContentsOnDemand) {
    write(image_);
    const TempDir contents(dir_.path(), "contents");
    const OciReadImage read = read_oci_image(layout(), {"1", contents.path()});
    const Entry& entry = *read.tree.find("etc/hostname");
    EXPECT_EQ(read_text_file(entry.source), "renamed\n");
    EXPECT_EQ(entry.source.filename(), sha256("renamed\n").hex());
}

TEST_F(OciTest, ReplacesALayoutAndLeavesNothingHalfWritten) {
    write(image_);
    const std::string before = read_text_file(layout() / "index.json");
    OciImage broken = image_;
    broken.layers[1].delta.put("etc/.wh.x", file("x"));
    const Error error = failure([&] { write(broken); });
    EXPECT_EQ(error.message(), "'/etc/.wh.x' cannot be stored in an OCI layer");
    EXPECT_THAT(error.context(), testing::Contains("writing the layer 'stage change'"));
    EXPECT_EQ(read_text_file(layout() / "index.json"), before);
    image_.ref_name = "2";
    write(image_);
    EXPECT_NE(read_text_file(layout() / "index.json"), before);
    EXPECT_EQ(std::distance(fs::directory_iterator(dir_.path()), fs::directory_iterator()), 1);
}

TEST_F(OciTest, TakesUnchangedLayersFromTheCache) {
    DirectoryLayerCache cache(dir_.path() / "cache");
    OciWriteOptions options;
    options.cache = &cache;
    options.output_version = "1";
    const OciWritten first = write(image_, options);
    // Without its content, the first layer can only come from the cache.
    OciImage again = image_;
    for (auto& [path, entry] : again.layers[0].delta.entries()) {
        entry.data = nullptr;
        entry.source = "/nonexistent";
    }
    again.layers[1].delta.put("etc/more", file("more"));
    const OciWritten second = write(again, options);
    EXPECT_EQ(second.layers[0].digest, first.layers[0].digest);
    EXPECT_NE(second.layers[1].digest, first.layers[1].digest);
    static_cast<void>(read_oci_image(layout()));
    options.output_version = "2";
    EXPECT_THROW(write(again, options), Error);
}

TEST_F(OciTest, DropsADamagedBlobFromTheCache) {
    DirectoryLayerCache cache(dir_.path() / "cache");
    OciWriteOptions options;
    options.cache = &cache;
    const OciWritten first = write(image_, options);
    write_file_atomically(dir_.path() / "cache/blobs" / first.layers[0].digest.hex(), "damaged");
    const OciWritten second = write(image_, options);
    EXPECT_EQ(second.manifest.digest, first.manifest.digest);
    static_cast<void>(read_oci_image(layout()));
}

TEST_F(OciTest, PrunesLayersThatNobodyUsed) {
    DirectoryLayerCache cache(dir_.path() / "cache");
    const Digest old = sha256("old");
    const Digest used = sha256("used");
    const fs::path blobs = dir_.path() / "blobs";
    const fs::path taken = dir_.path() / "taken";
    fs::create_directory(blobs);
    fs::create_directory(taken);
    for (const Digest& key : {old, used}) {
        const std::string text = "blob of " + key.hex();
        write_file(blobs / sha256(text).hex(), text);
        cache.store(key, {sha256(text), text.size(), key}, blobs);
        fs::last_write_time(
            dir_.path() / "cache" / (key.hex() + ".json"),
            fs::file_time_type::clock::now() - std::chrono::hours(48));
    }
    ASSERT_TRUE(cache.find(used, taken));
    const std::uint64_t before = cache.bytes();
    const std::int64_t yesterday =
        last_used(dir_.path() / "cache" / (used.hex() + ".json")) - 86400;
    EXPECT_EQ(cache.prune(yesterday), before / 2);
    EXPECT_EQ(cache.bytes(), before / 2);
    EXPECT_FALSE(cache.find(old, taken));
    EXPECT_TRUE(cache.find(used, taken));
}

TEST_F(OciTest, NeedsALayer) {
    EXPECT_EQ(
        failure([&] { write(OciImage()); }).message(), "an OCI image needs at least one layer");
}

TEST_F(OciTest, RefusesLabelsThatAreNoUtf8) {
    image_.config.labels["x"] = "\xe9";
    EXPECT_THAT(failure([&] { write(image_); }).message(), HasSubstr("cannot write JSON: "));
}

TEST_F(OciTest, ReaderFindsADamagedBlob) {
    const OciWritten written = write(image_);
    const fs::path path = blob(written.layers[0].digest);
    std::string bytes = read_text_file(path);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    write_file_atomically(path, bytes);
    EXPECT_THROW(static_cast<void>(read_oci_image(layout())), Error);
    write_file_atomically(blob(written.config.digest), "{}");
    const Error error = failure([&] { static_cast<void>(read_oci_image(layout())); });
    EXPECT_EQ(
        error.message(), "checksum mismatch for blob '" + written.config.digest.to_string() + "'");
}

TEST_F(OciTest, ReaderFindsALayerThatTheConfigDoesNotKnow) {
    // A consistent manifest over a config with a wrong diff_id.
    const OciWritten written = write(image_);
    auto config = nlohmann::ordered_json::parse(read_text_file(blob(written.config.digest)));
    config["rootfs"]["diff_ids"][1] = written.layers[0].diff_id.to_string();
    const std::string config_text = config.dump();
    auto manifest = nlohmann::ordered_json::parse(read_text_file(blob(written.manifest.digest)));
    manifest["config"]["digest"] = sha256(config_text).to_string();
    manifest["config"]["size"] = config_text.size();
    const std::string manifest_text = manifest.dump();
    auto index = nlohmann::ordered_json::parse(read_text_file(layout() / "index.json"));
    index["manifests"][0]["digest"] = sha256(manifest_text).to_string();
    index["manifests"][0]["size"] = manifest_text.size();
    write_file_atomically(blob(sha256(config_text)), config_text);
    write_file_atomically(blob(sha256(manifest_text)), manifest_text);
    write_file_atomically(layout() / "index.json", index.dump());
    EXPECT_EQ(
        failure([&] { static_cast<void>(read_oci_image(layout())); }).message(),
        "diff_id mismatch: layer 2 does not match the image config");
}

TEST_F(OciTest, ReaderExplainsWhatItCannotFind) {
    write(image_);
    EXPECT_EQ(
        failure([&] { static_cast<void>(read_oci_manifest(layout(), "3")); }).message(),
        "'" + layout().string() + "' contains no images named '3'");
    write_file_atomically(layout() / "index.json", R"({"manifests":[{"digest":"md5:1"}]})");
    EXPECT_EQ(
        failure([&] { static_cast<void>(read_oci_image(layout())); }).message(),
        "'md5:1' is not a SHA-256 digest");
    write_file_atomically(layout() / "index.json", "{");
    EXPECT_THAT(
        failure([&] { static_cast<void>(read_oci_image(layout())); }).message(),
        HasSubstr("malformed JSON in 'index.json'"));
    fs::remove(layout() / "index.json");
    EXPECT_EQ(
        failure([&] { static_cast<void>(read_oci_image(layout())); }).message(),
        "not an OCI image layout or a 'docker save' archive");
}

std::string docker_archive(const fs::path& layout, const std::vector<std::string>& tags = {}) {
    MemorySink sink;
    write_docker_archive(layout, tags, sink);
    return std::string(sink.text());
}

TEST_F(OciTest, DockerArchiveIsDeterministicAndReadBack) {
    const OciWritten written = write(image_);
    const std::string archive = docker_archive(layout());
    const fs::path path = dir_.path() / "image.docker.tar";
    write_file_atomically(path, archive);
    const OciReadImage read = read_oci_image(path);
    EXPECT_EQ(read.tree.digest(), merged(below_).digest());
    EXPECT_EQ(read.manifest.descriptor.digest, written.manifest.digest);
    EXPECT_EQ(sha256(docker_archive(layout())), sha256(archive));
    EXPECT_THAT(
        archive,
        HasSubstr(
            R"([{"Config":"blobs/sha256/)" + written.config.digest.hex() +
            R"(","RepoTags":["docker.io/library/kiln-sample:1"],"Layers":["blobs/sha256/)" +
            written.layers[0].digest.hex() + "\""));
    EXPECT_THAT(docker_archive(layout(), {"a:b"}), HasSubstr(R"("RepoTags":["a:b"])"));
}

TEST_F(OciTest, DockerArchiveRefusesZstd) {
    OciWriteOptions options;
    options.compression = LayerCompression::zstd;
    write(image_, options);
    const Error error = failure([&] { static_cast<void>(docker_archive(layout())); });
    EXPECT_EQ(error.message(), "docker load cannot read zstd layers");
    EXPECT_EQ(error.hint(), "write the image with gzip layers, or push it to a registry");
}

TEST_F(OciTest, ReadsArchivesOfOldDockerVersions) {
    OciWriteOptions options;
    options.compression = LayerCompression::none;
    const OciWritten written = write(image_, options);
    const std::string config = written.config.digest.hex() + ".json";
    FileTree members;
    members.put(config, file(read_text_file(blob(written.config.digest))));
    members.put("1/layer.tar", file(read_text_file(blob(written.layers[0].digest))));
    members.put("2/layer.tar", file(read_text_file(blob(written.layers[1].digest))));
    members.put(
        "manifest.json",
        file(
            R"([{"Config":")" + config +
            R"(","RepoTags":["old:1"],"Layers":["1/layer.tar","2/layer.tar"]}])"));
    const fs::path path = dir_.path() / "old.tar";
    {
        AtomicFile out(path);
        TarWriter writer(out);
        for (const auto& [name, entry] : members.entries()) {
            writer.add(name, entry);
        }
        writer.finish();
        out.commit();
    }
    const OciReadImage read = read_oci_image(path);
    EXPECT_EQ(read.tree.digest(), merged(below_).digest());
    EXPECT_EQ(read.names, std::vector<std::string>{"old:1"});
}

} // namespace
} // namespace kiln
