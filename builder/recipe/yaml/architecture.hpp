// SPDX-License-Identifier: MIT
//
// Debian's name of the architecture that definitions are for when they say nothing.
#pragma once

#include <string_view>

namespace kiln {

inline constexpr std::string_view kDefaultArchitecture = "amd64";

} // namespace kiln
