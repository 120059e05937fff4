// SPDX-License-Identifier: MIT
//
// Copies a folder of the build host into a tree with stated owners and modes: nothing of the
// folder's own owners, modes (but for the executable bit) and times gets into the image.
#pragma once

#include "stages/host_files.hpp"
#include "stages/stage_context.hpp"

#include <functional>
#include <string>

namespace kiln {

/// Decides owner and mode of a path (relative to the copied folder); `mode` is 0755 for directories
/// and executable files, else 0644.
using OwnershipOf = std::function<Ownership(const std::string& path, std::uint32_t mode)>;

/// Copies the content of `folder` to `to`. Directories that the tree has already keep their owner
/// and mode, unless `own_directories`. Throws Error for a file that is not as it was when `folder`
/// was read.
void copy_folder(
    const HostFolder& folder,
    const std::string& to,
    const TreeRoot& tree,
    const OwnershipOf& ownership_of,
    bool own_directories);

} // namespace kiln
