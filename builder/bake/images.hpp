// SPDX-License-Identifier: MIT
//
// From a baked tree to the files that are shipped: disks and container images, as the image
// definitions say. The only place that knows both trees and definitions.
#pragma once

#include "base/console.hpp"
#include "base/image_format.hpp"
#include "build/executor.hpp"
#include "disk/disk.hpp"
#include "recipe/image_spec.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace kiln {

/// Folders of unfinished results in an output folder begin so.
inline constexpr std::string_view kTemporaryPrefix = ".bake";

/// One shipped file or directory.
struct ImageFile {
    std::string name; ///< below the output folder: "pause.qcow2", "pause.oci"
    ImageFormat format = ImageFormat::raw;
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
/// (what is below /boot/efi), which the disk has in a separate file system.
struct DiskTrees {
    FileTree root;
    FileTree esp;
};

[[nodiscard]] DiskTrees split_for_disk(const FileTree& tree);

/// What the root file system of a disk needs to know; the rest, such as GRUB's images, is left out.
[[nodiscard]] DiskOptions
root_disk_options(const DiskImageSpec& spec, const BakeSettings& settings);

struct DiskFiles {
    fs::path raw; ///< the disk itself, also when it is not wanted; the caller removes it then
    std::vector<ImageFile> images;
};

/// Writes formats of a disk. Throws Error when the tree lacks what a disk needs to boot, naming the
/// stage kind that makes it.
[[nodiscard]] DiskFiles write_disk_images(
    const DiskTrees& trees,
    const DiskImageSpec& spec,
    const std::vector<ImageFormat>& formats,
    const ImageContext& context);

/// Writes formats of a container image, which has a layer for each group of stages.
[[nodiscard]] std::vector<ImageFile> write_container_images(
    const BakedTree& baked,
    const OciImageSpec& spec,
    const std::vector<ImageFormat>& formats,
    const ImageContext& context);

} // namespace kiln
