// SPDX-License-Identifier: MIT
#include "oci/oci_reader.hpp"

#include "archive/archive_reader.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/oci_files.hpp"
#include "oci/oci_layer_reader.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <optional>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

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

bool is_index(std::string_view type) {
    return type == media_type::kIndex || type == media_type::kDockerList;
}

bool fits_platform(const JsonObject& descriptor) {
    if (!descriptor.has("platform")) {
        return true;
    }
    const JsonObject platform = descriptor.object("platform");
    return platform.text_or_empty("os") == "linux" &&
           platform.text_or_empty("architecture") == "amd64";
}

std::vector<OciDescriptor> candidates(const std::string& index_text, std::string_view ref_name) {
    const Json json = parse_json(index_text, "index.json");
    const JsonObject index(json, "index.json");
    std::vector<OciDescriptor> found;
    for (const JsonObject& item : index.objects("manifests")) {
        OciDescriptor descriptor = descriptor_from_json(item);
        const auto ref = descriptor.annotations.find(std::string(annotation::kRefName));
        const bool named = ref != descriptor.annotations.end() && ref->second == ref_name;
        if (fits_platform(item) && (ref_name.empty() || named)) {
            found.push_back(std::move(descriptor));
        }
    }
    return found;
}

OciDescriptor
choose_manifest(const OciFiles& files, const fs::path& image, std::string_view ref_name) {
    constexpr int kMaxDepth = 4;
    std::string text = files.read_text("index.json");
    std::string_view wanted = ref_name;
    for (int depth = 0; depth < kMaxDepth; ++depth) {
        auto found = candidates(text, wanted);
        if (found.size() != 1) {
            throw Error(fmt::format(
                "'{}' contains {} images{}",
                image.string(),
                found.empty() ? "no" : "several",
                wanted.empty() ? " for linux/amd64" : fmt::format(" named '{}'", wanted)));
        }
        if (!is_index(found.front().media_type)) {
            return std::move(found.front());
        }
        text = files.read_blob(found.front());
        wanted = {};
    }
    throw Error(fmt::format("the indexes of '{}' are nested too deeply", image.string()));
}

/// What an image is made of, whatever the container it came in.
struct ImageParts {
    struct Layer {
        std::string name; ///< for OciFiles::open()
        std::optional<OciDescriptor> descriptor;
    };

    OciManifest manifest;
    std::vector<std::string> names;
    Json config;
    std::vector<Layer> layers;
};

OciManifest read_manifest(const OciFiles& files, const fs::path& image, std::string_view ref_name) {
    OciManifest manifest;
    manifest.descriptor = choose_manifest(files, image, ref_name);
    const Json json = parse_json(files.read_blob(manifest.descriptor), "image manifest");
    const JsonObject object(json, "image manifest");
    manifest.config = descriptor_from_json(object.object("config"));
    for (const JsonObject& layer : object.objects("layers")) {
        manifest.layers.push_back(descriptor_from_json(layer));
    }
    manifest.annotations = object.text_map("annotations");
    return manifest;
}

ImageParts
locate_in_layout(const OciFiles& files, const fs::path& image, const std::string& ref_name) {
    ImageParts parts;
    parts.manifest = read_manifest(files, image, ref_name);
    for (const auto key : {annotation::kImageName, annotation::kRefName}) {
        const auto& annotations = parts.manifest.descriptor.annotations;
        if (const auto it = annotations.find(std::string(key));
            it != annotations.end() && parts.names.empty()) {
            parts.names.push_back(it->second);
        }
    }
    parts.config = parse_json(files.read_blob(parts.manifest.config), "image config");
    for (const OciDescriptor& layer : parts.manifest.layers) {
        parts.layers.push_back({blob_name(layer.digest), layer});
    }
    return parts;
}

/// Archives of Docker before 25.0: manifest.json names the files, the config holds the digests.
ImageParts locate_in_docker_archive(const OciFiles& files) {
    const Json json = parse_json(files.read_text("manifest.json"), "manifest.json");
    const std::vector<JsonObject> manifests = json_objects(json, "manifest.json");
    if (manifests.size() != 1) {
        throw Error(fmt::format("the archive contains {} images, expected one", manifests.size()));
    }
    const JsonObject& manifest = manifests.front();
    ImageParts parts;
    parts.names = manifest.texts_or_empty("RepoTags");
    const std::string config = normalize_member_path(manifest.text("Config"));
    const std::string text = files.read_text(config);
    if (const auto digest = Digest::parse(fs::path(config).stem().string())) {
        require_blob({"", *digest, text.size()}, text.size(), sha256(text));
    }
    parts.config = parse_json(text, config);
    for (const std::string& layer : manifest.texts("Layers")) {
        parts.layers.push_back({normalize_member_path(layer), {}});
    }
    return parts;
}

ImageParts locate(const OciFiles& files, const fs::path& image, const std::string& ref_name) {
    if (files.has("index.json")) {
        return locate_in_layout(files, image, ref_name);
    }
    if (files.has("manifest.json")) {
        return locate_in_docker_archive(files);
    }
    throw Error("not an OCI image layout or a 'docker save' archive");
}

/// Puts the layers of an image on top of each other.
class LayerStack {
  public:
    LayerStack(const OciFiles& files, const OciReadOptions& options)
        : files_(files), kept_(options.kept), budget_(options.limits) {}

    OciReadLayer add(const ImageParts::Layer& layer, const Digest& diff_id) {
        const auto file =
            layer.descriptor ? files_.open_blob(*layer.descriptor) : files_.open(layer.name);
        const std::string name = fs::path(layer.name).filename().string();
        DigestSource blob(*file);
        DecompressSource decompressed(blob, name, budget_.limits());
        DigestSource plain(decompressed);
        const FileTree delta = read_layer(plain, name, tree_, kept_, &budget_);
        plain.drain();
        blob.drain();
        const LayerBlob found{blob.digest(), blob.size(), plain.digest()};
        if (layer.descriptor) {
            require_blob(*layer.descriptor, found.size, found.digest);
        }
        if (found.diff_id != diff_id) {
            throw Error(
                fmt::format(
                    "diff_id mismatch: layer {} does not match the image config", count_ + 1))
                .with_details(
                    {"stated: " + diff_id.to_string(), "found:  " + found.diff_id.to_string()});
        }
        tree_.apply(delta, count_++);
        return {layer.descriptor ? layer.descriptor->media_type : "", found, ""};
    }

    FileTree finish() {
        order_links(tree_);
        return std::move(tree_);
    }

  private:
    const OciFiles& files_;
    const KeptContents& kept_;
    ArchiveBudget budget_; ///< all layers together
    FileTree tree_;
    std::uint32_t count_ = 0;
};

std::vector<Digest> diff_ids(const JsonObject& config) {
    std::vector<Digest> out;
    for (const std::string& text : config.object("rootfs").texts("diff_ids")) {
        const auto digest = Digest::parse(text);
        if (!digest) {
            throw Error(fmt::format("'{}' is not a SHA-256 digest", printable(text)));
        }
        out.push_back(*digest);
    }
    return out;
}

void take_history(const JsonObject& config, std::vector<OciReadLayer>& layers) {
    std::size_t i = 0;
    for (const JsonObject& item : config.objects_or_empty("history")) {
        if (i < layers.size() && !item.flag("empty_layer")) {
            layers[i++].created_by = item.text_or_empty("created_by");
        }
    }
}

OciReadImage
read_image(const OciFiles& files, const fs::path& path, const OciReadOptions& options) {
    ImageParts parts = locate(files, path, options.ref_name);
    const JsonObject config(parts.config, "image config");
    OciReadImage image;
    if (config.has("config")) {
        image.config = config_from_json(config.object("config"));
    }
    image.created = config.text_or_empty("created");
    image.architecture = config.text_or_empty("architecture");
    image.os = config.text_or_empty("os");
    const std::vector<Digest> stated = diff_ids(config);
    if (stated.size() != parts.layers.size()) {
        throw Error(fmt::format(
            "the image has {} layers, but its config lists {}",
            parts.layers.size(),
            stated.size()));
    }
    LayerStack stack(files, options);
    for (std::size_t i = 0; i < stated.size(); ++i) {
        image.layers.push_back(stack.add(parts.layers[i], stated[i]));
    }
    image.tree = stack.finish();
    take_history(config, image.layers);
    image.manifest = std::move(parts.manifest);
    image.names = std::move(parts.names);
    return image;
}

template <typename Body> auto reading(const fs::path& image, Body&& body) {
    return with_context(
        fmt::format("reading the image '{}'", image.string()), std::forward<Body>(body));
}

} // namespace

OciManifest read_oci_manifest(const fs::path& layout, std::string_view ref_name) {
    return reading(layout, [&] { return read_manifest(LayoutFiles(layout), layout, ref_name); });
}

OciReadImage read_oci_image(const fs::path& image, const OciReadOptions& options) {
    return reading(image, [&] {
        return fs::is_directory(image)
                   ? read_image(LayoutFiles(image), image, options)
                   : read_image(ArchivedFiles(image, options.limits), image, options);
    });
}

} // namespace kiln
