// SPDX-License-Identifier: MIT
#include "base/shell_word.hpp"

#include <algorithm>

namespace kiln {

std::string shell_quote(std::string_view word) {
    std::string out = "'";
    for (const char c : word) {
        out += c == '\'' ? "'\\''" : std::string(1, c);
    }
    return out + "'";
}

std::string shell_word(std::string_view word) {
    const bool is_plain = !word.empty() && std::ranges::all_of(word, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("._+~-/=:,@").find(c) != std::string_view::npos;
    });
    return is_plain ? std::string(word) : shell_quote(word);
}

} // namespace kiln
