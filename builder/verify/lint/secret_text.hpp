// SPDX-License-Identifier: MIT
//
// What secrets look like in a text or a name. Knows no rule of lint and no tree.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kiln {

/// Bytes; what is shorter can be guessed.
inline constexpr std::size_t kShortestSecret = 6;

[[nodiscard]] bool has_private_key(std::string_view content);

/// The content without its blocks of certificates, public keys and parameters of a key exchange
/// (RFC 7468).
[[nodiscard]] std::string without_public_blocks(std::string_view content);

/// Whether the file's name says that it is a key, a password or a cookie.
[[nodiscard]] bool has_telling_name(std::string_view path);
/// Whether a line of a text is about one.
[[nodiscard]] bool has_telling_word(std::string_view line);
/// Whether there is a word in it that looks random: at least 20 letters and digits, of which no one
/// is common.
[[nodiscard]] bool has_random_text(std::string_view content);

} // namespace kiln
