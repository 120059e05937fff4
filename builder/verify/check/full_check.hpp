// SPDX-License-Identifier: MIT
//
// Finished disks as the kernel of the libguestfs appliance sees them.
#pragma once

#include "base/console.hpp"
#include "tree/file_tree.hpp"
#include "verify/check/image_check.hpp"
#include "verify/read/disk_info.hpp"

namespace kiln {

/// What a full check saw.
struct DiskCheck {
    DiskInfo disk;
    FileTree root; ///< the root file system, as the appliance's kernel reads it
};

/// Checks every file system (e2fsck, fsck.fat), every path of the root file system, and names,
/// types and contents in the EFI system partition. Throws as check_disk() does.
DiskCheck full_check(const DiskToCheck& disk, Console& console);

} // namespace kiln
