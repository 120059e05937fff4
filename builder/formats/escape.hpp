// SPDX-License-Identifier: MIT
//
// Text of unknown origin (names in archives, fields of images) in a form that can be shown and be
// put into JSON.
#pragma once

#include <string>
#include <string_view>

namespace kiln {

/// The text with control characters and bytes that are not UTF-8 written as "\xHH". Terminals obey
/// nothing of it, and it is valid UTF-8. `keep` are characters that stay as they are ("\n").
[[nodiscard]] std::string escape_controls(std::string_view text, std::string_view keep = "");

/// The text with only the bytes that are not UTF-8 written as "\xHH": for JSON, which has its own
/// way to write control characters. `mark` stands for the "\x"; inside a JSON text it is "\\x".
[[nodiscard]] std::string escape_invalid_utf8(std::string_view text, std::string_view mark = "\\x");

} // namespace kiln
