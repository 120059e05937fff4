// SPDX-License-Identifier: MIT
#include "formats/escape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace kiln {

namespace {

std::uint32_t byte_at(std::string_view text, std::size_t i) {
    return static_cast<unsigned char>(text[i]);
}

/// Length of the UTF-8 sequence at the beginning of `text`, 0 when it is none (RFC 3629: shortest
/// form, no surrogates, at most U+10FFFF). `code` gets the character.
std::size_t utf8_length(std::string_view text, std::uint32_t& code) {
    constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000}; // NOLINT: by length
    const std::uint32_t first = byte_at(text, 0);
    if (first < 0x80) {
        code = first;
        return 1;
    }
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < length) {
        return 0;
    }
    code = first & (0x7fU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte_at(text, i) & 0xc0U) != 0x80) {
            return 0;
        }
        code = code << 6U | (byte_at(text, i) & 0x3fU);
    }
    const bool is_surrogate = code >= 0xd800 && code < 0xe000;
    return code < kLeast[length] || code > 0x10ffff || is_surrogate ? 0 : length;
}

/// C0, DEL and C1 (which terminals obey as well), and the characters that turn the direction of
/// text or break lines.
bool is_control(std::uint32_t code) {
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200e && code <= 0x200f) ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

template <typename Keep>
std::string escape(std::string_view text, std::string_view mark, const Keep& keep) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        std::uint32_t code = 0;
        const std::size_t length = utf8_length(text, code);
        const std::string_view sequence = text.substr(0, std::max<std::size_t>(length, 1));
        if (length > 0 && keep(code)) {
            out += sequence;
        } else {
            for (std::size_t i = 0; i < sequence.size(); ++i) {
                out += fmt::format("{}{:02x}", mark, byte_at(sequence, i));
            }
        }
        text.remove_prefix(sequence.size());
    }
    return out;
}

} // namespace

std::string escape_controls(std::string_view text, std::string_view keep) {
    return escape(text, "\\x", [&](std::uint32_t code) {
        return !is_control(code) ||
               (code < 0x80 && keep.find(static_cast<char>(code)) != std::string_view::npos);
    });
}

std::string escape_invalid_utf8(std::string_view text, std::string_view mark) {
    return escape(text, mark, [](std::uint32_t) { return true; });
}

} // namespace kiln
