// SPDX-License-Identifier: MIT
#include "debian/deb_version.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <limits>

namespace kiln {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool has_only(std::string_view text, std::string_view punctuation) {
    return std::all_of(text.begin(), text.end(), [&](char c) {
        return is_digit(c) || is_letter(c) || punctuation.find(c) != std::string_view::npos;
    });
}

/// '~' sorts before the end, the end before letters, letters before everything else.
int weight(std::string_view text, std::size_t i) {
    if (i >= text.size() || is_digit(text[i])) {
        return 0;
    }
    const char c = text[i];
    if (c == '~') {
        return -1;
    }
    return is_letter(c) ? c : c + 256;
}

std::string_view take_number(std::string_view& text) {
    std::size_t end = 0;
    while (end < text.size() && is_digit(text[end])) {
        ++end;
    }
    std::string_view number = text.substr(0, end);
    text.remove_prefix(end);
    number.remove_prefix(std::min(number.find_first_not_of('0'), number.size()));
    return number;
}

std::strong_ordering compare_part(std::string_view a, std::string_view b) {
    while (!a.empty() || !b.empty()) {
        while ((!a.empty() && !is_digit(a.front())) || (!b.empty() && !is_digit(b.front()))) {
            const int left = weight(a, 0);
            const int right = weight(b, 0);
            if (left != right) {
                return left <=> right;
            }
            a.remove_prefix(1);
            b.remove_prefix(1);
        }
        const std::string_view left = take_number(a);
        const std::string_view right = take_number(b);
        if (left.size() != right.size()) {
            return left.size() <=> right.size();
        }
        if (const int order = left.compare(right); order != 0) {
            return order <=> 0;
        }
    }
    return std::strong_ordering::equal;
}

} // namespace

std::optional<DebVersion> DebVersion::parse(std::string_view text) {
    DebVersion version;
    if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
        const auto epoch = parse_unsigned(text.substr(0, colon));
        if (!epoch || *epoch > std::numeric_limits<std::int32_t>::max()) {
            return std::nullopt;
        }
        version.epoch_ = static_cast<std::uint32_t>(*epoch);
        text.remove_prefix(colon + 1);
    }
    const std::size_t dash = text.rfind('-');
    const std::string_view upstream = text.substr(0, dash);
    const std::string_view revision =
        dash == std::string_view::npos ? std::string_view() : text.substr(dash + 1);
    if (upstream.empty() || (dash != std::string_view::npos && revision.empty()) ||
        !has_only(upstream, ".+-~:") || !has_only(revision, ".+~")) {
        return std::nullopt;
    }
    version.upstream_ = std::string(upstream);
    version.revision_ = std::string(revision);
    return version;
}

std::strong_ordering DebVersion::operator<=>(const DebVersion& other) const {
    if (const auto order = epoch_ <=> other.epoch_; order != 0) {
        return order;
    }
    if (const auto order = compare_part(upstream_, other.upstream_); order != 0) {
        return order;
    }
    return compare_part(revision_, other.revision_);
}

} // namespace kiln
