// SPDX-License-Identifier: MIT
//
// What `kiln inspect` prints: ImageInfo as text for people and as JSON for programs.
#pragma once

#include "verify/inspect/image_info.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace kiln {

/// Sections of aligned lines, ending in a newline; control characters of the image are escaped.
/// `all` lists every package, user and unit; without it, packages and groups are only counted and
/// system users left out.
[[nodiscard]] std::string render_inspection(const ImageInfo& info, bool all);

/// Keys: path, format, disk{size, table, guid, partitions[]}, container{...}, system{os, hostname,
/// kernels, modules, packages[], users[], groups[], units[], runit[]}. What the image does not have
/// is left out. Bytes of the image that are not UTF-8 are written as "\xHH".
[[nodiscard]] nlohmann::ordered_json inspection_to_json(const ImageInfo& info);

} // namespace kiln
