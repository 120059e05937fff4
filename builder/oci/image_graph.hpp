// SPDX-License-Identifier: MIT
//
// What has to get into a registry so that an image is there: manifests in the order in which a
// registry takes them, and the blobs that they name. Knows no registry.
#pragma once

#include "oci/oci_files.hpp"
#include "oci/oci_model.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

struct GraphManifest {
    std::string text;
    std::string media_type;
    Digest digest;                    ///< of the text
    std::vector<OciDescriptor> blobs; ///< config and layers; none of an index
    std::vector<Digest> children;     ///< of an index

    [[nodiscard]] OciDescriptor descriptor() const { return {media_type, digest, text.size()}; }
};

struct ImageGraph {
    std::vector<GraphManifest> manifests; ///< each after its children; the image itself is the last
    std::vector<std::string> platforms;   ///< of an index, "linux/amd64"

    [[nodiscard]] const GraphManifest& root() const { return manifests.back(); }

    /// Of all manifests, each once.
    [[nodiscard]] std::vector<OciDescriptor> blobs() const;
};

/// The manifest or index with this text. Throws Error when it is malformed, or of a kind that is no
/// image (`media_type` is what its descriptor says; may be empty).
[[nodiscard]] GraphManifest
parse_graph_manifest(std::string text, std::string_view media_type, const std::string& what);

/// Children of an index with their platforms. Throws Error when it is malformed.
struct IndexItem {
    OciDescriptor descriptor;
    std::string platform;      ///< "OS/ARCHITECTURE[/VARIANT]"; empty: not stated
    std::string artifact_type; ///< may be empty
};

[[nodiscard]] std::vector<IndexItem> parse_index(std::string_view text, const std::string& what);

/// Reads a layout: what index.json calls `ref_name`, or, when that is empty, all that it has. One
/// item is the image itself; several for different platforms are joined in an index of them.
/// Manifests are verified by digest, blobs by their size. Throws Error when there is nothing, when
/// several items are not told apart by platform, and for whatever is malformed.
[[nodiscard]] ImageGraph read_image_graph(const OciFiles& files, std::string_view ref_name);

} // namespace kiln
