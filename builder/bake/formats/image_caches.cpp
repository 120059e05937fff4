// SPDX-License-Identifier: MIT
#include "bake/formats/image_caches.hpp"

#include "disk/qcow2/qcow2.hpp"

namespace kiln {

namespace {

constexpr const char* kClusterFolder = "clusters";
constexpr const char* kLayerFolder = "layers";
constexpr std::uint64_t kClusterCacheBytes = 4ULL << 30U;

} // namespace

DirectoryLayerCache open_layer_cache(const fs::path& cache) {
    return DirectoryLayerCache(cache / kLayerFolder);
}

FileClusterCache open_cluster_cache(const fs::path& cache) {
    return {cache / kClusterFolder, qcow2_encoder(), kClusterCacheBytes};
}

ImageCaches image_caches(const fs::path& cache) {
    std::error_code absent;
    const auto clusters = fs::file_size(cache / kClusterFolder / kClusterPackName, absent);
    return {open_layer_cache(cache).bytes(), absent ? 0 : static_cast<std::uint64_t>(clusters)};
}

std::uint64_t prune_image_caches(const fs::path& cache, std::int64_t time) {
    std::uint64_t freed = open_layer_cache(cache).prune(time);
    const fs::path clusters = cache / kClusterFolder / kClusterPackName;
    if (fs::exists(clusters) && last_used(clusters) < time) {
        freed += fs::file_size(clusters);
        fs::remove(clusters);
    }
    return freed;
}

} // namespace kiln
