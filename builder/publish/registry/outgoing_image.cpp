// SPDX-License-Identifier: MIT
#include "publish/registry/outgoing_image.hpp"

#include "base/error.hpp"
#include "oci/oci_files.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <memory>
#include <utility>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kEmptyConfig = "{}";

struct DiskType {
    ImageFormat format;
    std::string_view media_type;
};

constexpr auto kDiskTypes = std::to_array<DiskType>({
    {ImageFormat::qcow2, "application/vnd.kiln.disk.v1.qcow2"},
    {ImageFormat::raw, "application/vnd.kiln.disk.v1.raw"},
    {ImageFormat::raw_gz, "application/vnd.kiln.disk.v1.raw+gzip"},
    {ImageFormat::raw_zst, "application/vnd.kiln.disk.v1.raw+zstd"},
});

OciDescriptor empty_config() {
    return {std::string(media_type::kEmpty), sha256(kEmptyConfig), kEmptyConfig.size()};
}

std::shared_ptr<OciFiles> open_files(const fs::path& image) {
    if (fs::is_directory(image)) {
        return std::make_shared<LayoutFiles>(image);
    }
    return std::make_shared<ArchivedFiles>(image, ArchiveLimits());
}

} // namespace

std::string_view disk_media_type(ImageFormat format) {
    for (const DiskType& type : kDiskTypes) {
        if (type.format == format) {
            return type.media_type;
        }
    }
    throw Error(fmt::format("'{}' is not a format of disks", name_of(format)));
}

std::optional<ImageFormat> disk_format_of(std::string_view media_type) {
    for (const DiskType& type : kDiskTypes) {
        if (type.media_type == media_type) {
            return type.format;
        }
    }
    return std::nullopt;
}

OutgoingImage open_container(const fs::path& image, std::string_view ref_name) {
    return with_context(fmt::format("reading the image '{}'", image.string()), [&] {
        const std::shared_ptr<OciFiles> files = open_files(image);
        if (!files->has("index.json")) {
            throw Error(fmt::format("'{}' holds no OCI image layout", image.string()))
                .with_hint("archives of Docker before 25.0 can be converted: 'skopeo copy "
                           "docker-archive:FILE oci:FOLDER'");
        }
        OutgoingImage out;
        out.name = image.filename().empty() ? image.parent_path().filename().string()
                                            : image.filename().string();
        out.graph = read_image_graph(*files, ref_name);
        out.open = [files](const OciDescriptor& blob) -> std::unique_ptr<Source> {
            return files->open_blob(blob);
        };
        return out;
    });
}

OutgoingImage
open_disk(const fs::path& image, ImageFormat format, const std::optional<OciDescriptor>& subject) {
    const std::string name = image.filename().string();
    OciDescriptor disk{
        std::string(disk_media_type(format)), sha256_file(image.string()), fs::file_size(image)};
    disk.annotations = {{"org.opencontainers.image.title", name}};
    Json manifest{
        {"schemaVersion", 2},
        {"mediaType", media_type::kManifest},
        {"artifactType", kDiskArtifact},
        {"config", to_json_value(empty_config())},
        {"layers", Json::array({to_json_value(disk)})}};
    if (subject) {
        manifest["subject"] = to_json_value(*subject);
    }
    manifest["annotations"] = {{"org.opencontainers.image.title", name}};
    OutgoingImage out;
    out.name = name;
    out.graph.manifests.push_back(
        parse_graph_manifest(canonical_json(manifest), media_type::kManifest, "the manifest"));
    out.open = [image](const OciDescriptor& blob) -> std::unique_ptr<Source> {
        if (blob.media_type == media_type::kEmpty) {
            return std::make_unique<MemorySource>(as_byte_span(kEmptyConfig));
        }
        return std::make_unique<FileSource>(image);
    };
    return out;
}

} // namespace kiln
