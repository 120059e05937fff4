// SPDX-License-Identifier: MIT
//
// Writes container images as OCI image layouts (image-spec 1.1). Sees trees, the config and the
// source date epoch; knows nothing of recipes or registries.
#pragma once

#include "base/io/file.hpp"
#include "oci/layer_cache.hpp"
#include "oci/oci_model.hpp"
#include "tree/file_tree.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace kiln {

struct OciLayer {
    std::string created_by;          ///< history: what made the layer, for people
    std::string comment;             ///< history; may be empty
    FileTree delta;                  ///< against `below`, with whiteouts and opaque directories
    const FileTree* below = nullptr; ///< the tree before the layer; null for the first
};

struct OciImage {
    std::vector<OciLayer> layers; ///< at least one
    OciImageConfig config;
    std::string ref_name;   ///< the tag, "latest"; may be empty
    std::string image_name; ///< "docker.io/library/pause:latest"; may be empty
    std::int64_t epoch = 0; ///< `created` of image and history, seconds since 1970
    std::map<std::string, std::string> annotations; ///< of the manifest
    std::string architecture = "amd64";
};

struct OciWriteOptions {
    LayerCompression compression = LayerCompression::gzip;
    int level = 0; ///< 0: the compression's default
    unsigned jobs = 1;
    LayerCache* cache = nullptr; ///< may be null
    std::string output_version;  ///< part of the cache's keys: changes when kiln's bytes change
};

struct OciWritten {
    OciDescriptor manifest; ///< its digest is the image's digest in a registry
    OciDescriptor config;   ///< its digest is Docker's image id
    std::vector<LayerBlob> layers;
};

/// Writes the layout directory `target`: oci-layout, index.json, blobs/sha256. It appears whole
/// under its name or not at all; a layout that was there before is replaced. Throws Error (also
/// what plan_layer and TarWriter throw) and Interrupted.
OciWritten
write_oci_layout(const OciImage& image, const fs::path& target, const OciWriteOptions& options);

} // namespace kiln
