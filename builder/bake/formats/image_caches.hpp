// SPDX-License-Identifier: MIT
//
// What bakes keep beside stage trees so that images are written faster: compressed layers, deflated
// clusters.
#pragma once

#include "base/io/file.hpp"
#include "disk/qcow2/cluster_cache.hpp"
#include "oci/layer_cache.hpp"

#include <cstdint>

namespace kiln {

[[nodiscard]] DirectoryLayerCache open_layer_cache(const fs::path& cache);
[[nodiscard]] FileClusterCache open_cluster_cache(const fs::path& cache);

struct ImageCaches {
    std::uint64_t layer_bytes = 0;   ///< compressed layers
    std::uint64_t cluster_bytes = 0; ///< deflated clusters of disks
};

[[nodiscard]] ImageCaches image_caches(const fs::path& cache);
/// Drops what no bake used since `time` (seconds since 1970). Returns the bytes that it freed.
std::uint64_t prune_image_caches(const fs::path& cache, std::int64_t time);

} // namespace kiln
