// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace kiln {

/// Of the program, from the project() line of CMakeLists.txt.
inline constexpr std::string_view kVersion = KILN_VERSION;

/// REPRO: shown in manual pages; the date of the release, not of the build.
inline constexpr std::string_view kReleaseDate = "2026-01-01";

} // namespace kiln
