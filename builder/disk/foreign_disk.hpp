// SPDX-License-Identifier: MIT
//
// Disk files of unknown origin: what format they are, decided by kiln and said to every program
// that opens them, so that none of them guesses. A disk that names other files is refused.
#pragma once

#include "base/image_format.hpp"
#include "base/io/file.hpp"

#include <cstdint>
#include <string>

namespace kiln {

/// qcow2 or raw by the first bytes of a regular file; raw is what has no known header. Throws
/// Error for other formats of disks (VMDK, VHD, VDI, ...) and when it is not a regular file,
/// SystemError when it cannot be opened.
[[nodiscard]] ImageFormat detect_disk_format(const fs::path& disk);

/// Checks a disk before another program opens it as `format`, and returns its virtual size in
/// bytes. The content of a raw disk is not looked at. Throws Error when a qcow2 file is not
/// self-contained or not whole (see qcow2_header.hpp), or is not a regular file.
std::uint64_t require_plain_disk(const fs::path& disk, ImageFormat format);

/// The format of a disk that a guest writes to, by its name only: qcow2 when it ends in ".qcow2",
/// else raw. A guest decides what the first bytes of a raw disk are, so they say nothing.
[[nodiscard]] ImageFormat format_by_name(const fs::path& disk);

/// Checks the disk `disk` that a guest may have written to, and returns its format. Throws Error
/// when bytes and name contradict each other, and as require_plain_disk() does. Block devices are
/// raw.
[[nodiscard]] ImageFormat require_guest_disk(const fs::path& disk);

/// What programs of QEMU and libguestfs are given: an absolute path, which they take for a file's
/// name whatever is in it ("json:", "nbd://", ...).
[[nodiscard]] std::string disk_argument(const fs::path& disk);

} // namespace kiln
