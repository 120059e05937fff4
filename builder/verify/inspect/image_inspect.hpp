// SPDX-License-Identifier: MIT
//
// Looks into an image of any kind that kiln reads, its own or not.
#pragma once

#include "base/console.hpp"
#include "base/io/file.hpp"
#include "tree/file_tree.hpp"
#include "verify/inspect/image_detect.hpp"
#include "verify/inspect/image_info.hpp"

#include <functional>
#include <optional>
#include <string_view>

namespace kiln {

struct InspectOptions {
    std::optional<ImageFormat> format = {}; ///< none: detect_image_format()
    /// What the image's record says its tree is; null when there is none. The image is compared
    /// with it, and an Error with exit code 4 lists the differences.
    const FileTree* expected = nullptr;
};

/// Disks are opened in one start of the appliance, container images read as streams; neither names
/// a file of the host. Throws Error, also beyond the limits of archive_limits.hpp.
[[nodiscard]] ImageInfo
inspect_image(const fs::path& image, const InspectOptions& options, Console& console);

/// The whole tree of an image, with the contents that is_linted_content() names at hand: what
/// lint_tree() needs. Throws Error.
[[nodiscard]] FileTree read_image_tree(const fs::path& image, ImageFormat format, Console& console);

/// A disk's partitions and the whole tree of its system.
struct DiskContents {
    DiskInfo disk;
    FileTree tree;
};

/// The same for a disk, in one start of the appliance, with the contents at hand that
/// read_system_info() looks at and, of files of up to 1 MiB, those that `wanted` names. Throws
/// Error also when there is no Linux system on it.
[[nodiscard]] DiskContents read_disk_contents(
    const fs::path& image,
    ImageFormat format,
    const std::function<bool(std::string_view path)>& wanted,
    Console& console);

} // namespace kiln
