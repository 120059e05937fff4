// SPDX-License-Identifier: MIT
//
// Unpacks an archive of trusted content but unknown manners into a folder of the build host.
#pragma once

#include "base/file.hpp"
#include "base/stream.hpp"

#include <string>

namespace kiln {

/// Unpacks a tar archive, plain or compressed, into `folder`, which must exist. Everything keeps
/// its time, files whether they can be executed (0755 or 0644); folders get 0755; owners are the
/// caller's. `name` is for messages. Throws Error for members that would land elsewhere or behind a
/// link, and for devices and their like; what was unpacked by then stays.
void unpack_archive(Source& archive, const std::string& name, const fs::path& folder);

} // namespace kiln
