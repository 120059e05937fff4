// SPDX-License-Identifier: MIT
//
// Base64 (RFC 4648, section 4), for texts that travel through lines.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kiln {

[[nodiscard]] std::string to_base64(std::string_view text);
/// Nothing when it is not a base64.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

} // namespace kiln
