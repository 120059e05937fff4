// SPDX-License-Identifier: MIT
//
// The check after every bake: the finished disk, opened by programs that did not write it, must be
// whole and hold exactly what the record says.
#pragma once

#include "base/console.hpp"
#include "base/image_format.hpp"
#include "base/io/file.hpp"
#include "base/process/process.hpp"
#include "tree/file_tree.hpp"
#include "verify/read/disk_info.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

struct DiskImage {
    fs::path path;
    ImageFormat format = ImageFormat::raw;
};

/// A finished disk and what it must hold. The trees are not owned.
struct DiskToCheck {
    DiskImage image;
    std::vector<DiskImage> copies;  ///< the same disk in other formats
    const FileTree* root = nullptr; ///< the root file system
    const FileTree* esp = nullptr;  ///< the EFI system partition; null: the disk has none
};

/// How closely finished disks are looked at.
enum class CheckLevel {
    none,
    quick, ///< by programs and libraries of this host (verify/check/quick_check.hpp)
    full,  ///< by the kernel of the libguestfs appliance (verify/check/full_check.hpp)
};

/// Names of the levels, as options and the record have them, in the order of the enumeration.
inline constexpr std::array<std::string_view, 3> kCheckLevels{"none", "quick", "full"};

/// `full` where KVM works, else `quick`: without it the appliance is 10 to 20 times slower.
[[nodiscard]] CheckLevel default_check_level();

/// Checks the containers (`qemu-img check`), every file system (e2fsck, fsck.fat), every path of
/// the root file system, and names, types and contents in the EFI system partition (FAT has no
/// owners); copies must have the same content as their image (`qemu-img compare`). Throws Error
/// with exit code 4 and the first 20 differences when something is not as expected; Error with exit
/// code 1 when the check itself cannot run.
void check_disk(
    const DiskToCheck& disk,
    CheckLevel level,
    unsigned jobs,
    Console& console,
    ProcessRunner& runner);

/// The partition with the EFI system's files. Throws Error (exit code 4) when there is none;
/// `image` is for its message.
[[nodiscard]] const PartitionInfo& find_esp(const DiskInfo& disk, const fs::path& image);

/// `qemu-img check`; raw disks pass. Throws Error (exit code 4).
void check_qcow2(const DiskImage& image, ProcessRunner& runner);

/// `qemu-img compare`. Throws Error (exit code 4) that names the first place that differs.
void require_equal_bytes(const DiskImage& image, const DiskImage& copy, ProcessRunner& runner);

/// What FAT keeps of a tree: names, types and contents.
[[nodiscard]] FileTree names_and_contents(const FileTree& tree);

/// Throws Error (exit code 4) with the first differences as details unless the trees are equal.
/// `what` is the subject of the message.
void require_equal_trees(const FileTree& expected, const FileTree& actual, const std::string& what);

/// Size of the scratch disk for an appliance that reads trees out of an image of this virtual size.
[[nodiscard]] std::uint64_t scratch_size_for(std::uint64_t virtual_size);

/// The same for an image that kiln did not make: never more than 64 times the file's size (or
/// 4 GiB), nor more than three quarters of what is free in $TMPDIR. What does not fit ends the
/// reading with an Error.
[[nodiscard]] std::uint64_t
scratch_size_of_foreign(const fs::path& image, std::uint64_t virtual_size);

} // namespace kiln
