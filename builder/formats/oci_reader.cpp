// SPDX-License-Identifier: MIT
#include "formats/oci_reader.hpp"

#include "base/error.hpp"
#include "formats/archive_reader.hpp"
#include "formats/oci_layer_reader.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <optional>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kDockerList =
    "application/vnd.docker.distribution.manifest.list.v2+json";

/// Digests and counts what is read through it.
class DigestSource final : public Source {
  public:
    explicit DigestSource(Source& below) : below_(below) {}

    std::size_t read(std::span<std::byte> buffer) override {
        const std::size_t count = below_.read(buffer);
        sink_.write(Bytes(buffer).first(count));
        return count;
    }

    /// Reads what nobody asked for: the rest belongs to the digest.
    void drain() {
        NullSink sink;
        copy(*this, sink);
    }

    [[nodiscard]] std::uint64_t size() const noexcept { return sink_.size(); }

    [[nodiscard]] Digest digest() { return sink_.digest(); }

  private:
    Source& below_;
    DigestSink sink_;
};

void require_blob(const OciDescriptor& stated, std::uint64_t size, const Digest& digest) {
    if (size != stated.size || digest != stated.digest) {
        throw Error(fmt::format("blob '{}' is not what its name says", stated.digest.to_string()))
            .with_details(
                {fmt::format("stated: {} bytes", stated.size),
                 fmt::format("found:  {} bytes, {}", size, digest.to_string())});
    }
}

fs::path blob_path(const fs::path& layout, const Digest& digest) {
    return layout / "blobs" / "sha256" / digest.hex();
}

std::string read_text_blob(const fs::path& layout, const OciDescriptor& descriptor) {
    std::string text = read_text_file(blob_path(layout, descriptor.digest));
    require_blob(descriptor, text.size(), sha256(text));
    return text;
}

bool is_index(std::string_view type) {
    return type == media_type::kIndex || type == kDockerList;
}

bool fits_platform(const Json& descriptor) {
    const auto platform = descriptor.find("platform");
    return platform == descriptor.end() ||
           (platform->value("os", "") == "linux" && platform->value("architecture", "") == "amd64");
}

std::vector<OciDescriptor> candidates(const Json& index, std::string_view ref_name) {
    std::vector<OciDescriptor> found;
    for (const Json& item : index.at("manifests")) {
        OciDescriptor descriptor = descriptor_from_json(item);
        const auto ref = descriptor.annotations.find(std::string(annotation::kRefName));
        const bool named = ref != descriptor.annotations.end() && ref->second == ref_name;
        if (fits_platform(item) && (ref_name.empty() || named)) {
            found.push_back(std::move(descriptor));
        }
    }
    return found;
}

OciDescriptor choose_manifest(const fs::path& layout, std::string_view ref_name) {
    constexpr int kMaxDepth = 4;
    std::string text = read_text_file(layout / "index.json");
    std::string_view wanted = ref_name;
    for (int depth = 0; depth < kMaxDepth; ++depth) {
        auto found = candidates(parse_json(text, "index.json"), wanted);
        if (found.size() != 1) {
            throw Error(fmt::format(
                "'{}' holds {} images{}",
                layout.string(),
                found.empty() ? "no" : "several",
                wanted.empty() ? " for linux/amd64" : fmt::format(" named '{}'", wanted)));
        }
        if (!is_index(found.front().media_type)) {
            return std::move(found.front());
        }
        text = read_text_blob(layout, found.front());
        wanted = {};
    }
    throw Error(fmt::format("the indexes of '{}' are nested too deeply", layout.string()));
}

/// An image as files, whatever the container they came in.
struct ImageFiles {
    struct Layer {
        fs::path path;
        std::optional<OciDescriptor> descriptor;
    };

    OciManifest manifest;
    std::vector<std::string> names;
    Json config;
    std::vector<Layer> layers;
};

ImageFiles locate_in_layout(const fs::path& layout, const std::string& ref_name) {
    ImageFiles files;
    files.manifest = read_oci_manifest(layout, ref_name);
    for (const auto key : {annotation::kImageName, annotation::kRefName}) {
        const auto& annotations = files.manifest.descriptor.annotations;
        if (const auto it = annotations.find(std::string(key));
            it != annotations.end() && files.names.empty()) {
            files.names.push_back(it->second);
        }
    }
    files.config = parse_json(read_text_blob(layout, files.manifest.config), "image config");
    for (const OciDescriptor& layer : files.manifest.layers) {
        files.layers.push_back({blob_path(layout, layer.digest), layer});
    }
    return files;
}

/// Archives of Docker before 25.0: manifest.json names the files, the config holds the digests.
ImageFiles locate_in_docker_archive(const fs::path& root) {
    const Json manifests = parse_json(read_text_file(root / "manifest.json"), "manifest.json");
    if (manifests.size() != 1) {
        throw Error(fmt::format("the archive holds {} images instead of one", manifests.size()));
    }
    const Json& manifest = manifests.at(0);
    ImageFiles files;
    if (const auto tags = manifest.find("RepoTags"); tags != manifest.end() && tags->is_array()) {
        files.names = tags->get<std::vector<std::string>>();
    }
    const fs::path config = normalize_member_path(manifest.at("Config").get<std::string>());
    const std::string text = read_text_file(root / config);
    if (const auto digest = Digest::parse(config.stem().string())) {
        require_blob({"", *digest, text.size()}, text.size(), sha256(text));
    }
    files.config = parse_json(text, config.string());
    for (const Json& layer : manifest.at("Layers")) {
        files.layers.push_back({root / normalize_member_path(layer.get<std::string>()), {}});
    }
    return files;
}

ImageFiles locate(const fs::path& root, const std::string& ref_name) {
    if (fs::exists(root / "index.json")) {
        return locate_in_layout(root, ref_name);
    }
    if (fs::exists(root / "manifest.json")) {
        return locate_in_docker_archive(root);
    }
    throw Error("neither an OCI image layout nor an archive of docker save");
}

/// Reads one layer on top of `tree`.
OciReadLayer add_layer(
    const ImageFiles::Layer& layer,
    const Digest& diff_id,
    FileTree& tree,
    const fs::path& keep_contents,
    std::uint32_t index) {
    FileSource file(layer.path);
    DigestSource blob(file);
    DecompressSource decompressed(blob, layer.path.filename().string());
    DigestSource plain(decompressed);
    const FileTree delta = read_layer(plain, layer.path.filename().string(), tree, keep_contents);
    plain.drain();
    blob.drain();
    const LayerBlob found{blob.digest(), blob.size(), plain.digest()};
    if (layer.descriptor) {
        require_blob(*layer.descriptor, found.size, found.digest);
    }
    if (found.diff_id != diff_id) {
        throw Error(fmt::format("layer {} is not what the image config says", index + 1))
            .with_details(
                {"stated: " + diff_id.to_string(), "found:  " + found.diff_id.to_string()});
    }
    tree.apply(delta, index);
    return {layer.descriptor ? layer.descriptor->media_type : "", found, ""};
}

std::vector<Digest> diff_ids(const Json& config) {
    std::vector<Digest> out;
    for (const Json& item : config.at("rootfs").at("diff_ids")) {
        const auto digest = Digest::parse(item.get<std::string>());
        if (!digest) {
            throw Error(fmt::format("'{}' is no SHA-256 digest", item.get<std::string>()));
        }
        out.push_back(*digest);
    }
    return out;
}

void take_history(const Json& config, std::vector<OciReadLayer>& layers) {
    std::size_t i = 0;
    for (const Json& item : config.value("history", Json::array())) {
        if (i < layers.size() && !item.value("empty_layer", false)) {
            layers[i++].created_by = item.value("created_by", "");
        }
    }
}

OciReadImage read_image(const fs::path& root, const OciReadOptions& options) {
    ImageFiles files = locate(root, options.ref_name);
    OciReadImage image;
    image.config = config_from_json(files.config.value("config", Json::object()));
    image.created = files.config.value("created", "");
    image.architecture = files.config.value("architecture", "");
    image.os = files.config.value("os", "");
    const std::vector<Digest> stated = diff_ids(files.config);
    if (stated.size() != files.layers.size()) {
        throw Error(fmt::format(
            "the image has {} layers, its config {}", files.layers.size(), stated.size()));
    }
    for (std::size_t i = 0; i < stated.size(); ++i) {
        image.layers.push_back(add_layer(
            files.layers[i],
            stated[i],
            image.tree,
            options.keep_contents,
            static_cast<std::uint32_t>(i)));
    }
    order_links(image.tree);
    take_history(files.config, image.layers);
    image.manifest = std::move(files.manifest);
    image.names = std::move(files.names);
    return image;
}

void unpack_archive(const fs::path& archive, const fs::path& to) {
    FileSource file(archive);
    ArchiveReader reader(file, archive.string());
    while (const auto member = reader.next()) {
        if (member->entry.type == FileType::regular && member->entry.hardlink_to.empty()) {
            const fs::path path = to / member->path;
            fs::create_directories(path.parent_path());
            AtomicFile out(path);
            copy(reader.content(), out);
            out.commit();
        }
    }
}

/// Wrong types and missing keys of JSON become an Error.
template <typename Body> auto reading(const fs::path& image, Body&& body) {
    return with_context(fmt::format("reading the image '{}'", image.string()), [&] {
        try {
            return body();
        } catch (const nlohmann::json::exception& error) {
            throw Error(fmt::format("malformed image: {}", error.what()));
        }
    });
}

} // namespace

OciManifest read_oci_manifest(const fs::path& layout, std::string_view ref_name) {
    return reading(layout, [&] {
        OciManifest manifest;
        manifest.descriptor = choose_manifest(layout, ref_name);
        const Json json = parse_json(read_text_blob(layout, manifest.descriptor), "image manifest");
        manifest.config = descriptor_from_json(json.at("config"));
        for (const Json& layer : json.at("layers")) {
            manifest.layers.push_back(descriptor_from_json(layer));
        }
        if (const auto it = json.find("annotations"); it != json.end()) {
            manifest.annotations = it->get<std::map<std::string, std::string>>();
        }
        return manifest;
    });
}

OciReadImage read_oci_image(const fs::path& image, const OciReadOptions& options) {
    return reading(image, [&] {
        if (fs::is_directory(image)) {
            return read_image(image, options);
        }
        const TempDir unpacked(temporary_root(), "kiln-image");
        unpack_archive(image, unpacked.path());
        return read_image(unpacked.path(), options);
    });
}

} // namespace kiln
