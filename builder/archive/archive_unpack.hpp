// SPDX-License-Identifier: MIT
//
// Unpacks an archive of any origin into a folder of the build host. Nothing outside of the folder
// is read or written, whatever the archive holds.
#pragma once

#include "archive/archive_limits.hpp"
#include "base/io/file.hpp"
#include "base/io/stream.hpp"

#include <string>

namespace kiln {

/// Unpacks a tar archive, plain or compressed, into `folder`, which must exist. Everything keeps
/// its time, files whether they can be executed (0755 or 0644); folders get 0755; owners are the
/// caller's. Symbolic links are made as the archive has them and never followed. `name` is for
/// messages. Throws Error for members that lie outside or behind a link, for hard links to anything
/// but a file, for names that occur twice (folders may), for devices and their like, and beyond the
/// limits; what was unpacked by then stays.
void unpack_archive(
    Source& archive,
    const std::string& name,
    const fs::path& folder,
    const ArchiveLimits& limits = {});

} // namespace kiln
