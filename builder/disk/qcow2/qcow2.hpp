// SPDX-License-Identifier: MIT
//
// Writes qcow2 images (version 3, docs/interop/qcow2.txt of QEMU) from a raw disk: clusters of 64
// KiB, deflated on all cores and packed in order. Judged by qemu-img in the tests.
#pragma once

#include "disk/ext4/ext4.hpp"
#include "disk/qcow2/cluster_cache.hpp"

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>

namespace kiln {

struct Qcow2Options {
    unsigned jobs = 0; ///< threads; 0: one a core. The bytes do not depend on it
    bool compress = true;
    ClusterCache* cache = nullptr; ///< optional; made with qcow2_encoder(); not owned
};

struct Qcow2Result {
    std::uint64_t virtual_bytes = 0;
    std::uint64_t file_bytes = 0;
    std::uint64_t clusters = 0; ///< with data
    std::uint64_t clusters_from_cache = 0;
};

/// Reads the whole file `raw_fd`, whose size must be a multiple of 512, and writes `target`, which
/// appears only when complete. Clusters of zeros take no place, whether or not they are holes.
/// `progress` counts bytes of the raw disk.
Qcow2Result write_qcow2(
    int raw_fd,
    const std::filesystem::path& target,
    const Qcow2Options& options,
    const ByteProgress& progress);

/// Deflates the clusters of a raw disk into `options.cache`, for an image that is yet to be
/// written; returns early when `stop` is requested.
void deflate_ahead(int raw_fd, const Qcow2Options& options, const std::stop_token& stop);

/// Names the compressor, its settings and, by a probe, what it does; for ClusterCache.
[[nodiscard]] std::string qcow2_encoder();

} // namespace kiln
