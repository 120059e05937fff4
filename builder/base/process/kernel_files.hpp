// SPDX-License-Identifier: MIT
//
// File systems that show the kernel instead of keeping files: sizes are not real, contents change
// from one reading to the next, and reading may do something.
#pragma once

#include <filesystem>
#include <string_view>

namespace kiln {

/// The name of such a file system ("proc", "sysfs", ...) when `path`, or what a link leads to, is
/// in one; otherwise empty, as for what cannot be looked at.
[[nodiscard]] std::string_view kernel_file_system(const std::filesystem::path& path) noexcept;

} // namespace kiln
