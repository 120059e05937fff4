// SPDX-License-Identifier: MIT
//
// The check after every bake: the finished disk, opened by programs that did not write it, must be
// whole and hold exactly what the record says.
#pragma once

#include "base/console.hpp"
#include "base/process.hpp"
#include "check/disk_info.hpp"
#include "check/guestfs.hpp"
#include "formats/file_tree.hpp"

#include <string>

namespace kiln {

struct DiskImage {
    fs::path path;
    std::string format; ///< "qcow2" or "raw"
};

/// What a check saw.
struct DiskCheck {
    DiskInfo disk;
    FileTree root; ///< the root file system, as the appliance's kernel reads it
};

/// Checks the container (`qemu-img check`), every file system (e2fsck, fsck.fat) and every path of
/// the root file system against `expected_root`. Throws Error with exit code 4 and the first 20
/// differences when something is not as expected; Error with exit code 1 when the check itself
/// cannot run.
DiskCheck check_disk(
    const DiskImage& image, const FileTree& expected_root, Console& console, ProcessRunner& runner);

/// `qemu-img check`; raw disks pass. Throws Error (exit code 4).
void check_qcow2(const DiskImage& image, ProcessRunner& runner);

/// Throws Error (exit code 4) with the first differences as details unless the trees are equal.
/// `image` and `record` are what messages call the two.
void require_equal_trees(
    const FileTree& expected, const FileTree& actual, const std::string& image);

/// Virtual size of a disk image in bytes, by qemu-img. Throws Error.
[[nodiscard]] std::uint64_t read_virtual_size(const DiskImage& image, ProcessRunner& runner);

/// Size of the scratch disk for an appliance that reads trees out of an image of this virtual size.
[[nodiscard]] std::uint64_t scratch_size_for(std::uint64_t virtual_size);

} // namespace kiln
