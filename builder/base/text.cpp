// SPDX-License-Identifier: MIT
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <limits>
#include <numeric>

namespace kiln {

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> out;
    std::size_t begin = 0;
    while (true) {
        const std::size_t end = text.find(separator, begin);
        out.emplace_back(text.substr(begin, end == std::string_view::npos ? end : end - begin));
        if (end == std::string_view::npos) {
            return out;
        }
        begin = end + 1;
    }
}

std::vector<std::string> split_lines(std::string_view text) {
    if (text.empty()) {
        return {};
    }
    if (text.back() == '\n') {
        text.remove_suffix(1);
    }
    return split(text, '\n');
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
    return fmt::format("{}", fmt::join(parts, separator));
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const std::size_t begin = text.find_first_not_of(kSpace);
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    if (text.empty()) {
        return 0;
    }
    const unsigned first = byte(0);
    if (first < 0x80) {
        return 1;
    }
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < length) {
        return 0;
    }
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0U) != 0x80U) {
            return 0;
        }
    }
    const unsigned second = byte(1);
    const bool bad = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                     (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
    return bad ? 0 : length;
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0) {
            return false;
        }
        text.remove_prefix(length);
    }
    return true;
}

namespace {

/// The code point of one well-formed sequence.
std::uint32_t decode(std::string_view sequence) {
    const auto first = static_cast<unsigned char>(sequence[0]);
    if (sequence.size() == 1) {
        return first;
    }
    std::uint32_t code = first & (0x7FU >> sequence.size());
    for (const char c : sequence.substr(1)) {
        code = code << 6U | (static_cast<unsigned char>(c) & 0x3FU);
    }
    return code;
}

/// Marks that reorder what is around them (Unicode TR9), and line ends of Unicode.
bool is_unseen(std::uint32_t code) {
    return (code >= 0x80 && code <= 0x9F) || code == 0x61C || (code >= 0x200E && code <= 0x200F) ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

/// The character at the start of `text` as a terminal may have it.
std::string shown_character(std::string_view sequence) {
    const std::uint32_t code = decode(sequence);
    if ((code < 0x20 && code != '\t') || code == 0x7F) {
        return fmt::format("\\x{:02x}", code);
    }
    return is_unseen(code) ? fmt::format("\\u{{{:x}}}", code) : std::string(sequence);
}

bool is_plain(char c) {
    return (c >= 0x20 && c < 0x7F) || c == '\t';
}

} // namespace

std::string printable(std::string_view text, std::size_t max) {
    constexpr std::string_view kMore = "...";
    std::string out;
    out.reserve(std::min(text.size(), max));
    std::size_t count = 0;
    while (!text.empty()) {
        if (count >= max) {
            return out.append(kMore);
        }
        if (is_plain(text[0])) { // nearly all of it
            out += text[0];
            text.remove_prefix(1);
        } else if (const std::size_t length = utf8_length(text); length > 0) {
            out += shown_character(text.substr(0, length));
            text.remove_prefix(length);
        } else {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
            text.remove_prefix(1);
        }
        ++count;
    }
    return out;
}

std::string valid_utf8(std::string_view text, std::string_view mark) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length > 0) {
            out += text.substr(0, length);
        } else {
            out += fmt::format("{}{:02x}", mark, static_cast<unsigned char>(text[0]));
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

std::string printable_lines(std::string_view text, std::size_t max) {
    std::string out;
    out.reserve(text.size());
    const auto add = [&](std::string_view line) {
        if (line.size() <= max && std::all_of(line.begin(), line.end(), is_plain)) {
            out += line; // nearly all of them, and there may be millions
        } else {
            out += printable(line, max);
        }
    };
    for (std::size_t newline = text.find('\n'); newline != std::string_view::npos;
         newline = text.find('\n')) {
        add(text.substr(0, newline));
        out += '\n';
        text.remove_prefix(newline + 1);
    }
    add(text);
    return out;
}

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t substitution = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitution});
        }
    }
    return row[b.size()];
}

} // namespace

std::optional<std::string>
suggest(std::string_view word, std::span<const std::string_view> candidates) {
    std::optional<std::string> best;
    constexpr std::size_t kMostEdits = 2;
    std::size_t best_distance = std::min<std::size_t>(kMostEdits, word.size() / 2) + 1;
    for (const std::string_view candidate : candidates) {
        const std::size_t longer = std::max(word.size(), candidate.size());
        if (longer - std::min(word.size(), candidate.size()) > kMostEdits) {
            continue; // that many letters cannot be made up for
        }
        const std::size_t distance = edit_distance(word, candidate);
        if (distance < best_distance) {
            best_distance = distance;
            best = std::string(candidate);
        }
    }
    return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
    const auto best = suggest(word, candidates);
    return best ? fmt::format("did you mean '{}'?", *best) : std::string();
}

std::optional<std::uint64_t> parse_unsigned(std::string_view text, int base) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    struct Unit {
        std::string_view name;
        std::uint64_t factor;
    };

    static constexpr std::array<Unit, 10> kUnits{{
        {"", 1},
        {"B", 1},
        {"KiB", 1ULL << 10},
        {"MiB", 1ULL << 20},
        {"GiB", 1ULL << 30},
        {"TiB", 1ULL << 40},
        {"KB", 1000},
        {"MB", 1000ULL * 1000},
        {"GB", 1000ULL * 1000 * 1000},
        {"TB", 1000ULL * 1000 * 1000 * 1000},
    }};
    const std::size_t digits = text.find_first_not_of("0123456789");
    const auto number = parse_unsigned(text.substr(0, digits));
    if (!number) {
        return std::nullopt;
    }
    const std::string_view unit =
        digits == std::string_view::npos ? std::string_view() : trim(text.substr(digits));
    for (const Unit& known : kUnits) {
        if (known.name == unit) {
            if (*number > std::numeric_limits<std::uint64_t>::max() / known.factor) {
                return std::nullopt;
            }
            return *number * known.factor;
        }
    }
    return std::nullopt;
}

std::string format_size(std::uint64_t bytes) {
    static constexpr std::array<std::string_view, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 1024 && unit + 1 < kUnits.size()) {
        value /= 1024;
        ++unit;
    }
    return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string format_duration(double seconds) {
    if (seconds < 60) {
        return fmt::format("{:.1f}s", seconds);
    }
    const auto whole = static_cast<long>(seconds);
    if (whole < 3600) {
        return fmt::format("{}m{:02}s", whole / 60, whole % 60);
    }
    return fmt::format("{}h{:02}m", whole / 3600, whole % 3600 / 60);
}

std::string to_hex(std::span<const std::byte> bytes) {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const std::byte byte : bytes) {
        const auto value = std::to_integer<unsigned>(byte);
        out.push_back(kDigits[value >> 4U]);
        out.push_back(kDigits[value & 15U]);
    }
    return out;
}

std::string format_rfc3339(std::int64_t epoch_seconds) {
    const std::time_t time = epoch_seconds;
    std::tm parts{};
    gmtime_r(&time, &parts);
    return fmt::format(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        parts.tm_year + 1900,
        parts.tm_mon + 1,
        parts.tm_mday,
        parts.tm_hour,
        parts.tm_min,
        parts.tm_sec);
}

} // namespace kiln
