// SPDX-License-Identifier: MIT
//
// What DigitalOcean would refuse, or import into an image that does not boot or cannot be reached:
// found on this host before anything is sent. The rules and where they are from:
// docs/publish.md#what-is-checked-first.
#pragma once

#include "base/console.hpp"
#include "base/image_format.hpp"
#include "base/io/file.hpp"
#include "tree/file_tree.hpp"
#include "verify/read/disk_info.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace kiln {

/// Bytes of a disk, decompressed: "smaller than 100 GB".
inline constexpr std::uint64_t kMostDiskBytes = 100'000'000'000;

struct PreflightOptions {
    bool allow_standin = false;
};

struct Preflight {
    std::vector<std::string> faults; ///< what forbids the publish, one line each
    std::string distribution;        ///< in DigitalOcean's words, see distribution_of()
};

/// Throws Error unless the file is in a format and of a size that DigitalOcean takes: qcow2 (whole
/// and without other files), a raw disk, or that with gzip. Looks at headers only.
void require_importable(const fs::path& image, ImageFormat format);

/// The rules over what is on the disk.
[[nodiscard]] Preflight
check_contents(const DiskInfo& disk, const FileTree& tree, const PreflightOptions& options);

/// Reads the disk by the libguestfs appliance and checks its contents. Throws Error with all faults
/// as details, or when it cannot be read. Returns the distribution.
[[nodiscard]] std::string require_bootable(
    const fs::path& image, ImageFormat format, const PreflightOptions& options, Console& console);

/// The order of the data sources of cloud-init's configuration, as cloud-init reads it: the last
/// datasource_list of the files in the order of their names; empty when there is none.
[[nodiscard]] std::vector<std::string> datasources_of(const FileTree& tree);

} // namespace kiln
