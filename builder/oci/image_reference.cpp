// SPDX-License-Identifier: MIT
#include "oci/image_reference.hpp"

#include "base/error.hpp"
#include "base/io/digest.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace kiln {

namespace {

constexpr std::size_t kMaxName = 255;

bool is_lower(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_alphanumeric(char c) {
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}

/// Lower-case letters and digits, with single separators ('.', '_', "__", '-'...) in between.
bool is_path_component(std::string_view text) {
    if (text.empty() || !is_lower(text.front()) || !is_lower(text.back())) {
        return false;
    }
    for (std::size_t i = 0; i < text.size();) {
        if (is_lower(text[i])) {
            ++i;
            continue;
        }
        const std::size_t end = std::min(text.find_first_not_of(text[i], i), text.size());
        const std::size_t length = end - i;
        const bool fits =
            text[i] == '-' || (text[i] == '.' && length == 1) || (text[i] == '_' && length <= 2);
        if (!fits || !is_lower(text[end])) {
            return false;
        }
        i = end;
    }
    return true;
}

bool is_tag(std::string_view text) {
    constexpr std::size_t kMaxTag = 128;
    return !text.empty() && text.size() <= kMaxTag &&
           (is_alphanumeric(text.front()) || text.front() == '_') &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return is_alphanumeric(c) || c == '_' || c == '.' || c == '-';
           });
}

/// "localhost", "registry.example:5000", "[::1]:5000".
bool is_host(std::string_view text) {
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos ||
            text.substr(1, end - 1).find_first_not_of("0123456789abcdefABCDEF:") !=
                std::string_view::npos) {
            return false;
        }
        const std::string_view rest = text.substr(end + 1);
        return rest.empty() || (rest.starts_with(':') && parse_unsigned(rest.substr(1)));
    }
    const std::size_t colon = text.find(':');
    const std::string_view name = text.substr(0, colon);
    const bool port_fits =
        colon == std::string_view::npos || parse_unsigned(text.substr(colon + 1)).has_value();
    return port_fits && !name.empty() && is_alphanumeric(name.front()) &&
           is_alphanumeric(name.back()) && std::all_of(name.begin(), name.end(), [](char c) {
               return is_alphanumeric(c) || c == '.' || c == '-';
           });
}

bool looks_like_host(std::string_view first) {
    return first == "localhost" || first.find_first_of(".:[") != std::string_view::npos;
}

} // namespace

bool is_image_reference(std::string_view text) {
    if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
        const std::string_view digest = text.substr(at + 1);
        if (!digest.starts_with("sha256:") || !Digest::parse(digest)) {
            return false;
        }
        text = text.substr(0, at);
    }
    const std::size_t slash = text.rfind('/');
    const std::size_t colon = text.find(':', slash == std::string_view::npos ? 0 : slash);
    if (colon != std::string_view::npos) {
        if (!is_tag(text.substr(colon + 1))) {
            return false;
        }
        text = text.substr(0, colon);
    }
    if (text.empty() || text.size() > kMaxName) {
        return false;
    }
    const std::vector<std::string> parts = split(text, '/');
    const bool has_host = parts.size() > 1 && looks_like_host(parts.front());
    return (!has_host || is_host(parts.front())) &&
           std::all_of(parts.begin() + (has_host ? 1 : 0), parts.end(), [](const auto& part) {
               return is_path_component(part);
           });
}

bool is_image_id(std::string_view text) {
    constexpr std::size_t kShort = 12;
    constexpr std::size_t kWhole = 64;
    if (text.starts_with("sha256:")) {
        return Digest::parse(text).has_value();
    }
    return text.size() >= kShort && text.size() <= kWhole &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

void require_image_reference(std::string_view text) {
    if (!is_image_reference(text) && !is_image_id(text)) {
        constexpr std::size_t kShown = 128;
        throw Error(
            fmt::format("'{}' is not a valid image reference", printable(text.substr(0, kShown))));
    }
}

} // namespace kiln
