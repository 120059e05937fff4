// SPDX-License-Identifier: MIT
//
// From a baked tree to the files that are shipped: disks and container images, as the image
// definitions say. The only place that knows both trees and definitions.
#pragma once

#include "base/console.hpp"
#include "build/executor.hpp"
#include "disk/disk.hpp"
#include "disk/qcow2/cluster_cache.hpp"
#include "recipe/image_spec.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace kiln {

/// Folders of unfinished results in an output folder begin so.
inline constexpr std::string_view kTemporaryPrefix = ".bake";

/// One shipped file or directory.
struct ImageFile {
    std::string name;       ///< below the output folder: "pause.qcow2", "pause.oci"
    std::string format;     ///< "qcow2", "raw", "oci", "docker"
    Digest digest;          ///< of the file; of an OCI layout: its manifest's
    std::uint64_t size = 0; ///< bytes; of an OCI layout: of all blobs
    std::string check = {}; ///< of a disk: "none", "quick" or "full" (verify/check/image_check.hpp)
};

struct ImageContext {
    std::string recipe_name;
    const BakeSettings& settings;
    fs::path folder; ///< where the files go, below the output folder; not yet visible to anybody
    fs::path cache;  ///< root of kiln's cache
    Console& console;
    unsigned jobs = 1;
};

/// A tree as a disk holds it: the root file system and the files of the EFI system partition
/// (what lies below /boot/efi), which the disk has in a file system of its own.
struct DiskTrees {
    FileTree root;
    FileTree esp;
};

[[nodiscard]] DiskTrees split_for_disk(const FileTree& tree);

/// What the root file system of a disk needs to know; the rest, such as GRUB's images, is left out.
[[nodiscard]] DiskOptions
root_disk_options(const DiskImageSpec& spec, const BakeSettings& settings);

[[nodiscard]] FileClusterCache open_cluster_cache(const fs::path& cache);

/// What bakes keep beside stage trees so that images are written faster.
struct ImageCaches {
    std::uint64_t layer_bytes = 0;   ///< compressed layers
    std::uint64_t cluster_bytes = 0; ///< deflated clusters of disks
};

[[nodiscard]] ImageCaches image_caches(const fs::path& cache);
/// Drops what no bake used since `time` (seconds since 1970). Returns the bytes that it freed.
std::uint64_t prune_image_caches(const fs::path& cache, std::int64_t time);

/// Writes the formats ("qcow2", "raw") of a disk. Throws Error when the tree lacks what a disk
/// needs to boot, naming the stage kind that makes it.
[[nodiscard]] std::vector<ImageFile> write_disk_images(
    const DiskTrees& trees,
    const DiskImageSpec& spec,
    const std::vector<std::string>& formats,
    const ImageContext& context);

/// Writes the formats ("oci", "docker") of a container image, a layer per group of stages.
[[nodiscard]] std::vector<ImageFile> write_oci_images(
    const BakedTree& baked,
    const OciImageSpec& spec,
    const std::vector<std::string>& formats,
    const ImageContext& context);

} // namespace kiln
