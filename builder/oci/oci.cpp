// SPDX-License-Identifier: MIT
#include "oci/oci.hpp"

#include "archive/gzip.hpp"
#include "archive/zstd.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/oci_layer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <cstdio>
#include <system_error>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchemaVersion = 2;

/// A sink that compresses into `below`; `none` passes everything on.
std::unique_ptr<Sink> make_compressor(Sink& below, const OciWriteOptions& options) {
    switch (options.compression) {
    case LayerCompression::none:
        return std::make_unique<CountingSink>(below);
    case LayerCompression::gzip:
        return std::make_unique<GzipSink>(
            below, options.jobs, options.level == 0 ? GzipSink::kDefaultLevel : options.level);
    case LayerCompression::zstd:
        break;
    }
    return std::make_unique<ZstdSink>(
        below, options.jobs, options.level == 0 ? ZstdSink::kDefaultLevel : options.level);
}

std::string compressor_version(LayerCompression compression) {
    switch (compression) {
    case LayerCompression::none:
        return "none";
    case LayerCompression::gzip:
        return std::string(gzip_version());
    case LayerCompression::zstd:
        break;
    }
    return zstd_version();
}

Digest layer_key(const FileTree& plan, const OciWriteOptions& options) {
    return FieldHasher("kiln.oci-layer.v1")
        .field("plan", plan.digest())
        .field("compressor", compressor_version(options.compression))
        .field("level", std::to_string(options.level))
        .field("output", options.output_version)
        .finish();
}

/// The layout directory while it is being made.
class LayoutWriter {
  public:
    LayoutWriter(const OciImage& image, const fs::path& root, const OciWriteOptions& options)
        : image_(image), root_(root), blobs_(root / "blobs" / "sha256"), options_(options) {}

    OciWritten run() {
        fs::create_directories(blobs_);
        OciWritten out;
        for (const OciLayer& layer : image_.layers) {
            out.layers.push_back(
                with_context(fmt::format("writing the layer '{}'", layer.created_by), [&] {
                    return write_layer_blob(layer);
                }));
        }
        out.config = put_json(config_json(out.layers), media_type::kConfig);
        out.manifest = put_json(manifest_json(out), media_type::kManifest);
        write_file_atomically(root_ / "index.json", canonical_json(index_json(out.manifest)));
        write_file_atomically(root_ / "oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
        return out;
    }

  private:
    LayerBlob write_layer_blob(const OciLayer& layer) {
        const FileTree plan = plan_layer(layer.delta, layer.below);
        const Digest key = layer_key(plan, options_);
        if (options_.cache != nullptr) {
            if (const auto blob = options_.cache->find(key, blobs_)) {
                return *blob;
            }
        }
        const LayerBlob blob = compress(plan);
        if (options_.cache != nullptr) {
            options_.cache->store(key, blob, blobs_);
        }
        return blob;
    }

    /// One pass: tar -> (diff_id, compressor -> (digest, file)).
    LayerBlob compress(const FileTree& plan) {
        const fs::path temporary = blobs_ / "layer.tmp";
        const UniqueFd fd = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0644);
        FdSink file(fd.get(), temporary);
        DigestSink digest;
        TeeSink compressed(digest, file);
        const auto compressor = make_compressor(compressed, options_);
        DigestSink diff_id;
        TeeSink plain(diff_id, *compressor);
        write_layer(plan, plain);
        plain.finish();
        const LayerBlob blob{digest.digest(), digest.size(), diff_id.digest()};
        fs::rename(temporary, blobs_ / blob.digest.hex());
        return blob;
    }

    OciDescriptor put_json(const Json& json, std::string_view type) {
        const std::string text = canonical_json(json);
        const Digest digest = sha256(text);
        write_file_atomically(blobs_ / digest.hex(), text);
        return {std::string(type), digest, text.size()};
    }

    Json config_json(const std::vector<LayerBlob>& layers) const {
        // REPRO: all times are the source date epoch.
        const std::string created = format_rfc3339(image_.epoch);
        Json config;
        config["created"] = created;
        config["architecture"] = image_.architecture;
        config["os"] = "linux";
        config["config"] = to_json_value(image_.config);
        Json diff_ids = Json::array();
        for (const LayerBlob& layer : layers) {
            diff_ids.push_back(layer.diff_id.to_string());
        }
        config["rootfs"]["type"] = "layers";
        config["rootfs"]["diff_ids"] = std::move(diff_ids);
        Json& history = config["history"] = Json::array();
        for (const OciLayer& layer : image_.layers) {
            Json entry;
            entry["created"] = created;
            entry["created_by"] = layer.created_by;
            if (!layer.comment.empty()) {
                entry["comment"] = layer.comment;
            }
            history.push_back(std::move(entry));
        }
        return config;
    }

    Json manifest_json(const OciWritten& written) const {
        Json manifest;
        manifest["schemaVersion"] = kSchemaVersion;
        manifest["mediaType"] = media_type::kManifest;
        manifest["config"] = to_json_value(written.config);
        Json& layers = manifest["layers"] = Json::array();
        for (const LayerBlob& layer : written.layers) {
            layers.push_back(to_json_value(OciDescriptor{
                std::string(layer_media_type(options_.compression)), layer.digest, layer.size}));
        }
        if (!image_.annotations.empty()) {
            manifest["annotations"] = image_.annotations;
        }
        return manifest;
    }

    Json index_json(OciDescriptor manifest) const {
        if (!image_.ref_name.empty()) {
            manifest.annotations[std::string(annotation::kRefName)] = image_.ref_name;
        }
        if (!image_.image_name.empty()) {
            manifest.annotations[std::string(annotation::kImageName)] = image_.image_name;
        }
        Json descriptor = to_json_value(manifest);
        descriptor["platform"]["architecture"] = image_.architecture;
        descriptor["platform"]["os"] = "linux";
        Json index;
        index["schemaVersion"] = kSchemaVersion;
        index["mediaType"] = media_type::kIndex;
        index["manifests"] = Json::array({std::move(descriptor)});
        return index;
    }

    const OciImage& image_;
    const fs::path& root_;
    fs::path blobs_;
    const OciWriteOptions& options_;
};

void check_image(const OciImage& image) {
    if (image.layers.empty()) {
        throw Error("an OCI image needs at least one layer");
    }
    if (image.annotations.contains(std::string(annotation::kRefName))) {
        throw Error(fmt::format("'{}' is only valid in the index", annotation::kRefName));
    }
}

/// Gives the finished directory its name, in the place of what bore it before.
void put_in_place(TempDir& finished, const fs::path& target) {
    const char* from = finished.path().c_str();
    if (::chmod(from, 0755) != 0) {
        throw SystemError(fmt::format("cannot set the mode of '{}'", from));
    }
    if (fs::exists(target)) {
        if (::renameat2(AT_FDCWD, from, AT_FDCWD, target.c_str(), RENAME_EXCHANGE) == 0) {
            return; // the old layout goes with the temporary directory
        }
        remove_tree(target); // some file systems cannot exchange names
    }
    if (::rename(from, target.c_str()) != 0) {
        throw SystemError(fmt::format("cannot create '{}'", target.string()));
    }
    finished.keep();
}

} // namespace

OciWritten
write_oci_layout(const OciImage& image, const fs::path& target, const OciWriteOptions& options) {
    check_image(image);
    return with_context(fmt::format("writing the OCI image '{}'", target.string()), [&] {
        const fs::path absolute = fs::absolute(target).lexically_normal();
        TempDir directory(absolute.parent_path(), fmt::format(".{}", absolute.filename().string()));
        OciWritten written = LayoutWriter(image, directory.path(), options).run();
        put_in_place(directory, absolute);
        return written;
    });
}

} // namespace kiln
