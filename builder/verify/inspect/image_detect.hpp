// SPDX-License-Identifier: MIT
//
// Tells the formats of images apart, by what is in them.
#pragma once

#include "base/image_format.hpp"
#include "base/io/file.hpp"

namespace kiln {

/// A directory is an OCI layout. A tar, compressed or not, is a docker archive, or the root file
/// system itself when one of its first members is one of that. What is compressed and no tar is a
/// raw disk if it has a partition table. Anything else is a disk, qcow2 or raw. Throws Error when
/// it is a directory of another kind, a pipe or a device, or a disk in another format, SystemError
/// when it is missing.
[[nodiscard]] ImageFormat detect_image_format(const fs::path& image);

/// Throws Error, with what makes it readable, for a compressed disk.
void require_readable_disk(const fs::path& image, ImageFormat format);

} // namespace kiln
