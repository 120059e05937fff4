// SPDX-License-Identifier: MIT
#include "oci/docker_archive.hpp"

#include "archive/archive_reader.hpp"
#include "archive/tar_writer.hpp"
#include "base/error.hpp"
#include "oci/image_reference.hpp"
#include "oci/oci_files.hpp"
#include "oci/oci_reader.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

Entry directory_member() {
    Entry entry;
    entry.type = FileType::directory;
    entry.mode = 0755;
    return entry;
}

/// Only a regular file within the layout gets in, and only one of the stated size.
Entry blob_member(
    const fs::path& layout, const LayoutFiles& files, const OciDescriptor& descriptor) {
    static_cast<void>(files.open_blob(descriptor));
    Entry entry;
    entry.size = descriptor.size;
    entry.content = descriptor.digest;
    entry.source = layout / blob_name(descriptor.digest);
    return entry;
}

Entry text_member(std::string text) {
    Entry entry;
    entry.size = text.size();
    entry.data = std::make_shared<const std::string>(std::move(text));
    return entry;
}

std::string docker_manifest(const OciManifest& manifest, const std::vector<std::string>& tags) {
    Json image;
    image["Config"] = blob_name(manifest.config.digest);
    image["RepoTags"] = tags;
    Json& layers = image["Layers"] = Json::array();
    for (const OciDescriptor& layer : manifest.layers) {
        layers.push_back(blob_name(layer.digest));
    }
    return canonical_json(Json::array({std::move(image)}));
}

void refuse_zstd(const OciManifest& manifest) {
    for (const OciDescriptor& layer : manifest.layers) {
        if (layer.media_type == media_type::kLayerZstd) {
            throw Error("docker load cannot read zstd layers")
                .with_hint("write the image with gzip layers, or push it to a registry");
        }
    }
}

} // namespace

void write_docker_archive(
    const fs::path& layout, const std::vector<std::string>& repo_tags, Sink& sink) {
    const OciManifest manifest = read_oci_manifest(layout, "");
    refuse_zstd(manifest);
    std::vector<std::string> tags = repo_tags;
    const auto name = manifest.descriptor.annotations.find(std::string(annotation::kImageName));
    if (tags.empty() && name != manifest.descriptor.annotations.end()) {
        tags.push_back(name->second);
    }
    for (const std::string& tag : tags) {
        require_image_reference(tag);
    }
    // REPRO: member times are 0, owners root; nothing of the layout's own files is looked at.
    const LayoutFiles files(layout);
    FileTree members;
    members.put("blobs", directory_member());
    members.put("blobs/sha256", directory_member());
    members.put(
        blob_name(manifest.descriptor.digest), blob_member(layout, files, manifest.descriptor));
    members.put(blob_name(manifest.config.digest), blob_member(layout, files, manifest.config));
    for (const OciDescriptor& layer : manifest.layers) {
        members.put(blob_name(layer.digest), blob_member(layout, files, layer));
    }
    members.put("index.json", text_member(files.read_text("index.json")));
    members.put("manifest.json", text_member(docker_manifest(manifest, tags)));
    members.put("oci-layout", text_member(files.read_text("oci-layout")));
    TarWriter writer(sink);
    for (const auto& [path, entry] : members.entries()) {
        writer.add(path, entry);
    }
    writer.finish();
}

void require_loadable_archive(const fs::path& archive) {
    RegularFile file(archive);
    ArchiveReader reader(file, archive.string());
    while (const auto member = reader.next()) {
        if (member->path != "manifest.json") {
            continue;
        }
        if (member->entry.size > kMaxJsonBytes) {
            throw Error("manifest.json is too large");
        }
        MemorySink text;
        copy(reader.content(), text);
        const Json json = parse_json(text.text(), "manifest.json");
        const std::vector<JsonObject> images = json_objects(json, "manifest.json");
        if (images.size() != 1) {
            throw Error(fmt::format("the archive contains {} images, expected one", images.size()));
        }
        for (const std::string& name : images.front().texts_or_empty("RepoTags")) {
            require_image_reference(name);
        }
    }
}

} // namespace kiln
