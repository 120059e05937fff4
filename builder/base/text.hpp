// SPDX-License-Identifier: MIT
//
// Small text helpers that know nothing of the domain.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// Length in bytes of the UTF-8 sequence (RFC 3629) at the start of `text`; 0 when there is none.
[[nodiscard]] std::size_t utf8_length(std::string_view text);

[[nodiscard]] bool is_utf8(std::string_view text);

/// One line that a terminal shows as it is: control characters (newlines too), bytes that are no
/// UTF-8 and marks that change the direction of text become "\x1b" or "\u{202e}"; tabs stay.
/// What goes beyond `max` characters becomes "...".
[[nodiscard]] std::string
printable(std::string_view text, std::size_t max = std::numeric_limits<std::size_t>::max());
/// The same, but newlines stay and `max` holds for each line.
[[nodiscard]] std::string
printable_lines(std::string_view text, std::size_t max = std::numeric_limits<std::size_t>::max());

/// UTF-8 for JSON and the like: each byte that is not part of a well-formed sequence becomes `mark`
/// and two hexadecimal digits. Everything else stays.
[[nodiscard]] std::string valid_utf8(std::string_view text, std::string_view mark = "\\x");

/// One line of at most 300 characters of what strangers wrote, for a message.
[[nodiscard]] inline std::string excerpt(std::string_view text) {
    return printable(text, 300);
}

/// Lines without their newlines; a final newline does not make an empty last line.
[[nodiscard]] std::vector<std::string> split_lines(std::string_view text);
/// Fields between `separator`s, empty ones included.
[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);
[[nodiscard]] std::string join(std::span<const std::string> parts, std::string_view separator);
[[nodiscard]] std::string_view trim(std::string_view text);

/// The candidate nearest to `word` by edit distance, if near enough to be a slip of the keyboard
/// (at most 2 edits, and fewer than half of the word).
[[nodiscard]] std::optional<std::string>
suggest(std::string_view word, std::span<const std::string_view> candidates);
/// "did you mean 'x'?" for a suggestion, else an empty string.
[[nodiscard]] std::string
did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

/// "512", "64KiB", "3 GiB", "2GB" to bytes; nothing when it is not a size or overflows.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);
/// 1536 -> "1.5 KiB".
[[nodiscard]] std::string format_size(std::uint64_t bytes);
/// 75.3 s -> "1m15s", 3.21 -> "3.2s".
[[nodiscard]] std::string format_duration(double seconds);

/// Whole-string unsigned number in the given base; nothing on any other character or overflow.
[[nodiscard]] std::optional<std::uint64_t> parse_unsigned(std::string_view text, int base = 10);

[[nodiscard]] std::string to_hex(std::span<const std::byte> bytes);

/// RFC 3339 in UTC with whole seconds, for example 2026-04-01T12:00:00Z.
[[nodiscard]] std::string format_rfc3339(std::int64_t epoch_seconds);

} // namespace kiln
