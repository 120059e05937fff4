// SPDX-License-Identifier: MIT
#include "verify/lint/secret_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <span>

namespace kiln {

namespace {

// RFC 7468: "-----BEGIN LABEL-----", lines of base64, "-----END LABEL-----".
constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";

/// The label after a kBegin at `at`; nothing when no dashes follow soon.
std::string_view label_at(std::string_view content, std::size_t at) {
    constexpr std::size_t kLongestLabel = 40;
    const std::string_view rest = content.substr(at + kBegin.size(), kLongestLabel);
    const std::size_t length = rest.find(kDashes);
    return length == std::string_view::npos ? std::string_view() : rest.substr(0, length);
}

bool has_any_of(std::string_view text, std::span<const std::string_view> words) {
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
    return std::ranges::any_of(
        words, [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

bool is_public_label(std::string_view label) {
    constexpr std::array<std::string_view, 7> kLabels{
        "CERTIFICATE",
        "DH PARAMETERS",
        "EC PARAMETERS",
        "PGP PUBLIC KEY BLOCK",
        "PUBLIC KEY",
        "RSA PUBLIC KEY",
        "X9.42 DH PARAMETERS"};
    return std::ranges::find(kLabels, label) != kLabels.end();
}

} // namespace

bool has_private_key(std::string_view content) {
    for (std::size_t at = content.find(kBegin); at != std::string_view::npos;
         at = content.find(kBegin, at + 1)) {
        // "PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"
        if (label_at(content, at).find("PRIVATE KEY") != std::string_view::npos) {
            return true;
        }
    }
    constexpr std::array<std::string_view, 2> kMarks{"PuTTY-User-Key-File-", "AGE-SECRET-KEY-1"};
    return std::ranges::any_of(kMarks, [&](std::string_view mark) {
        return content.find(mark) != std::string_view::npos;
    });
}

std::string without_public_blocks(std::string_view content) {
    std::string out;
    std::size_t at = 0;
    for (std::size_t begin = content.find(kBegin); begin != std::string_view::npos;
         begin = content.find(kBegin, std::max(begin + 1, at))) {
        const std::string_view label = label_at(content, begin);
        const std::string end = fmt::format("{}{}{}", kEnd, label, kDashes);
        const std::size_t last = content.find(end, begin);
        if (is_public_label(label) && last != std::string_view::npos) {
            out += content.substr(at, begin - at);
            at = last + end.size();
        }
    }
    out += content.substr(at);
    return out;
}

bool has_telling_name(std::string_view path) {
    constexpr std::array<std::string_view, 7> kWords{
        "cookie", "credential", "key", "passw", "private", "secret", "token"};
    return has_any_of(path.substr(path.rfind('/') + 1), kWords);
}

bool has_telling_word(std::string_view line) {
    constexpr std::array<std::string_view, 8> kWords{
        "cookie", "credential", "key", "pass", "private", "pw", "secret", "token"};
    return has_any_of(line, kWords);
}

bool has_random_text(std::string_view content) {
    constexpr std::size_t kShortest = 20;
    const auto is_word = [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '+' || c == '=';
    };
    for (std::size_t begin = 0; begin < content.size();) {
        std::size_t end = begin;
        std::array<std::size_t, 256> counts{};
        std::size_t digits = 0;
        for (; end < content.size() && is_word(static_cast<unsigned char>(content[end])); ++end) {
            const auto c = static_cast<unsigned char>(content[end]);
            ++counts.at(c);
            digits += std::isdigit(c) != 0 ? 1U : 0U;
        }
        const std::size_t length = end - begin;
        if (length >= kShortest && digits > 0 && digits < length &&
            *std::ranges::max_element(counts) * 5 <= length) {
            return true;
        }
        begin = end + 1;
    }
    return false;
}

} // namespace kiln
