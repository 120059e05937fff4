// SPDX-License-Identifier: MIT
//
// Reads container images back into one tree, and proves on the way that every blob is what its
// descriptor says. Reads OCI layout directories and archives of `docker save`, also those not made
// by kiln.
#pragma once

#include "base/io/file.hpp"
#include "oci/layer_cache.hpp"
#include "oci/oci_layer_reader.hpp"
#include "oci/oci_model.hpp"
#include "tree/file_tree.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// What a manifest names.
struct OciManifest {
    OciDescriptor descriptor; ///< of the manifest itself, with the annotations of the index
    OciDescriptor config;
    std::vector<OciDescriptor> layers;
    std::map<std::string, std::string> annotations; ///< of the manifest
};

/// The manifest of an image in a layout directory: the one that the index calls `ref_name`, or,
/// when that is empty, the only one for linux/amd64 or for no stated platform. Index in index is
/// followed. Throws Error when there is none or more than one, and when the blob is damaged.
[[nodiscard]] OciManifest read_oci_manifest(const fs::path& layout, std::string_view ref_name);

struct OciReadLayer {
    std::string media_type; ///< empty in archives of old Docker versions
    LayerBlob blob;
    std::string created_by; ///< from the history; may be empty
};

struct OciReadImage {
    OciManifest manifest;           ///< all empty in archives of old Docker versions
    std::vector<std::string> names; ///< RepoTags, or the names in the index
    OciImageConfig config;
    std::string created; ///< RFC 3339; may be empty
    std::string architecture;
    std::string os;
    std::vector<OciReadLayer> layers;
    FileTree tree; ///< all layers merged; `stage` of an entry is the index of its layer
};

struct OciReadOptions {
    std::string ref_name; ///< see read_oci_manifest()
    KeptContents kept;    ///< without a folder, contents are digested and forgotten
    ArchiveLimits limits = {};
};

/// Reads the layout directory or the archive (plain or compressed; unpacked in $TMPDIR) at `image`.
/// Throws Error when a blob's digest or size, or a layer's diff_id, is not what is stated, for
/// whatever is malformed, and beyond the limits of archive_limits.hpp, which hold for all layers
/// together.
[[nodiscard]] OciReadImage
read_oci_image(const fs::path& image, const OciReadOptions& options = {});

} // namespace kiln
