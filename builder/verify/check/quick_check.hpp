// SPDX-License-Identifier: MIT
//
// A finished disk read by programs and a library that did not write it, on this host and without a
// virtual machine: QEMU decodes the image, sfdisk reads the partition table, e2fsck and fsck.fat
// check the file systems, libext2fs and mtools read every path. Reads a disk of 760 MB in seconds,
// where the appliance without KVM takes most of a minute.
#pragma once

#include "base/console.hpp"
#include "base/process/process.hpp"
#include "verify/check/image_check.hpp"

namespace kiln {

/// Checks what full_check() checks, except that no kernel mounts the disk. What a qcow2 image holds
/// is decoded to $TMPDIR, unless one of the disk's formats is raw. Throws as check_disk() does.
void quick_check(
    const DiskToCheck& disk, unsigned jobs, Console& console, ProcessRunner& processes);

} // namespace kiln
