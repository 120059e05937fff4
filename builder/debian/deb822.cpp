// SPDX-License-Identifier: MIT
#include "debian/deb822.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kiln {

namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
               return lower(x) == lower(y);
           });
}

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/// deb822(5): printable US-ASCII without space and colon, not beginning with '#' or '-'.
bool is_field_name(std::string_view name) {
    return !name.empty() && name.front() != '#' && name.front() != '-' &&
           std::all_of(
               name.begin(), name.end(), [](char c) { return c > ' ' && c < '\x7f' && c != ':'; });
}

std::string_view trim_blanks(std::string_view text) {
    while (!text.empty() && (is_blank(text.back()) || text.back() == '\r')) {
        text.remove_suffix(1);
    }
    while (!text.empty() && is_blank(text.front())) {
        text.remove_prefix(1);
    }
    return text;
}

} // namespace

const Deb822Field* Deb822View::find(std::string_view name) const {
    const auto found = std::find_if(fields_.begin(), fields_.end(), [&](const Deb822Field& field) {
        return same_name(field.name, name);
    });
    return found == fields_.end() ? nullptr : &*found;
}

std::string_view Deb822View::get(std::string_view name) const {
    const Deb822Field* field = find(name);
    return field == nullptr ? std::string_view() : field->value;
}

Deb822Reader::Deb822Reader(std::string_view text, std::string name, Deb822Comments comments)
    : text_(text), name_(std::move(name)), comments_(comments) {}

void Deb822Reader::fail(const std::string& message) const {
    throw Error(fmt::format("{}:{}: {}", name_, line_, message), ExitCode::invalid_recipe);
}

std::string_view Deb822Reader::take_line() {
    const std::size_t end = std::min(text_.find('\n', pos_), text_.size());
    const std::string_view line = text_.substr(pos_, end - pos_);
    pos_ = std::min(end + 1, text_.size());
    ++line_;
    return line;
}

void Deb822Reader::add_field(Deb822View& paragraph, std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
        fail("expected a colon after the field name");
    }
    const std::string_view name = line.substr(0, colon);
    if (!is_field_name(name)) {
        fail("empty or invalid field name");
    }
    constexpr std::size_t kMostFields = 1000; // each is compared with those before
    if (paragraph.fields_.size() >= kMostFields) {
        fail(fmt::format("more than {} fields in a paragraph", kMostFields));
    }
    if (paragraph.has(name)) {
        fail(fmt::format("duplicate field '{}' in a paragraph", name));
    }
    std::string_view value = trim_blanks(line.substr(colon + 1));
    if (value.empty()) {
        // Continuation lines extend a value from where it begins: not from blanks before it.
        value = line.substr(line.size());
    }
    paragraph.fields_.push_back({name, value, line_});
}

void Deb822Reader::continue_field(Deb822View& paragraph, std::string_view line) {
    if (paragraph.fields_.empty()) {
        fail("continuation line without a field");
    }
    // The value grows up to the end of this line; comment lines in between are removed when the
    // value is taken apart (deb822_words), which is the only use for values with comments.
    Deb822Field& field = paragraph.fields_.back();
    const std::string_view last = trim_blanks(line);
    const char* const begin = field.value.data();
    field.value = {begin, static_cast<std::size_t>(last.data() + last.size() - begin)};
}

bool Deb822Reader::next(Deb822View& paragraph) {
    paragraph.fields_.clear();
    while (pos_ < text_.size()) {
        const std::string_view line = take_line();
        if (trim_blanks(line).empty()) {
            if (!paragraph.fields_.empty()) {
                return true;
            }
        } else if (line.front() == '#' && comments_ == Deb822Comments::allowed) {
            continue;
        } else if (is_blank(line.front())) {
            continue_field(paragraph, line);
        } else {
            add_field(paragraph, line);
        }
    }
    return !paragraph.fields_.empty();
}

Deb822Paragraph::Deb822Paragraph(const Deb822View& view) {
    for (const Deb822Field& field : view.fields()) {
        fields_.emplace_back(field.name, field.value);
    }
}

std::string_view Deb822Paragraph::get(std::string_view name) const {
    for (const auto& [key, value] : fields_) {
        if (same_name(key, name)) {
            return value;
        }
    }
    return {};
}

bool Deb822Paragraph::has(std::string_view name) const {
    return std::any_of(fields_.begin(), fields_.end(), [&](const auto& field) {
        return same_name(field.first, name);
    });
}

void Deb822Paragraph::set(std::string_view name, std::string value) {
    for (auto& [key, old] : fields_) {
        if (same_name(key, name)) {
            old = std::move(value);
            return;
        }
    }
    fields_.emplace_back(name, std::move(value));
}

void Deb822Paragraph::erase(std::string_view name) {
    std::erase_if(fields_, [&](const auto& field) { return same_name(field.first, name); });
}

std::string Deb822Paragraph::to_string() const {
    std::string out;
    for (const auto& [name, value] : fields_) {
        // A value that begins on its second line ("Conffiles:\n /etc/x ...") has no space.
        const bool space = !value.empty() && value.front() != '\n';
        out += fmt::format("{}:{}{}\n", name, space ? " " : "", value);
    }
    return out;
}

std::vector<Deb822Paragraph>
parse_deb822(std::string_view text, const std::string& name, Deb822Comments comments) {
    std::vector<Deb822Paragraph> out;
    Deb822Reader reader(text, name, comments);
    Deb822View view;
    while (reader.next(view)) {
        out.emplace_back(view);
    }
    return out;
}

std::vector<std::string> deb822_words(std::string_view value) {
    std::vector<std::string> out;
    for (const std::string& line : split_lines(value)) {
        if (line.starts_with('#')) {
            continue;
        }
        std::size_t begin = line.find_first_not_of(" \t\r");
        while (begin != std::string::npos) {
            const std::size_t end = std::min(line.find_first_of(" \t\r", begin), line.size());
            out.push_back(line.substr(begin, end - begin));
            begin = line.find_first_not_of(" \t\r", end);
        }
    }
    return out;
}

} // namespace kiln
