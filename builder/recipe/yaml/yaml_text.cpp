// SPDX-License-Identifier: MIT
#include "recipe/yaml/yaml_text.hpp"

#include "base/text.hpp"
#include "recipe/yaml/yaml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace kiln {

namespace {

bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

std::size_t count_characters(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

struct CharacterFault {
    std::string message;
    std::string hint;
};

std::optional<CharacterFault> check_character(std::string_view text, std::size_t length) {
    if (length == 0) {
        return CharacterFault{"not valid UTF-8", "save the file in UTF-8"};
    }
    const auto c = static_cast<unsigned char>(text[0]);
    if (c == '\t') {
        return CharacterFault{
            "tab character", "indent with spaces; inside a text write \"\\t\" in double quotes"};
    }
    if (c == '\r') {
        return CharacterFault{"carriage return", "save the file with Unix line endings"};
    }
    if ((c < 0x20 && c != '\n') || c == 0x7F) {
        return CharacterFault{fmt::format("control character 0x{:02x}", c), {}};
    }
    if (text.substr(0, 3) == "\xEF\xBB\xBF") {
        return CharacterFault{
            "byte order mark", "save the file as UTF-8 without a byte order mark"};
    }
    return std::nullopt;
}

} // namespace

std::string too_large_yaml() {
    return fmt::format("larger than {}", format_size(kMaxYamlBytes));
}

bool check_yaml_text(const std::shared_ptr<const SourceFile>& file, Diagnostics& diags) {
    const std::string_view text = file->text;
    if (text.size() > kMaxYamlBytes) {
        diags.error({file}, too_large_yaml());
        return false;
    }
    bool good = true;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = utf8_length(text.substr(i));
        const auto fault = check_character(text.substr(i), length);
        if (!fault) {
            i += length;
            continue;
        }
        good = false;
        if (diags.is_full()) { // nobody needs another place
            break;
        }
        diags.error(position_at(file, i, 1), fault->message, fault->hint);
        i = text.find('\n', i);
        if (i == std::string_view::npos) {
            break;
        }
    }
    return good;
}

SourcePos
position_at(std::shared_ptr<const SourceFile> file, std::size_t offset, std::size_t bytes) {
    const auto end = file->text.begin() + static_cast<std::ptrdiff_t>(offset);
    const auto newlines = std::count(file->text.begin(), end, '\n');
    return PlaceFinder(std::move(file)).position(static_cast<int>(newlines) + 1, offset, bytes);
}

SourcePos PlaceFinder::position(int line, std::size_t offset, std::size_t bytes) {
    const std::string_view text = file_->text;
    if (line != line_ || offset < offset_) {
        const std::size_t newline = text.substr(0, offset).rfind('\n');
        offset_ = newline == std::string_view::npos ? 0 : newline + 1;
        line_ = line;
        column_ = 1;
    }
    column_ += static_cast<int>(count_characters(text.substr(offset_, offset - offset_)));
    offset_ = offset;
    SourcePos pos;
    pos.line = line;
    pos.column = column_;
    pos.length =
        static_cast<int>(std::max<std::size_t>(count_characters(text.substr(offset, bytes)), 1));
    pos.file = file_;
    return pos;
}

} // namespace kiln
