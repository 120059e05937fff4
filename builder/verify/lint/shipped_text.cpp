// SPDX-License-Identifier: MIT
#include "verify/lint/shipped_text.hpp"

#include "base/text.hpp"
#include "verify/lint/lint_rules.hpp"
#include "verify/lint/secret_text.hpp"
#include "verify/read/image_files.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace kiln {

namespace {

constexpr std::string_view kEtc = "etc/";

bool is_word_byte(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return std::isalnum(byte) != 0 || byte >= 0x80; // UTF-8 beyond ASCII
}

bool is_text(std::string_view content) {
    return std::ranges::none_of(content, [](char c) {
        return std::iscntrl(static_cast<unsigned char>(c)) != 0 && c != '\n' && c != '\t' &&
               c != '\r';
    });
}

/// Calls `use` with each word that is long enough for a secret, until that returns false.
template <typename Use> bool all_words(std::string_view text, const Use& use) {
    for (std::size_t begin = 0; begin < text.size();) {
        std::size_t end = begin;
        while (end < text.size() && is_word_byte(text[end])) {
            ++end;
        }
        if (end - begin >= kShortestSecret && !use(std::string(text.substr(begin, end - begin)))) {
            return false;
        }
        begin = end + 1;
    }
    return true;
}

} // namespace

ShippedText::ShippedText(
    const FileTree& tree,
    const ShippedFiles& shipped,
    const std::set<std::string>& private_packages)
    : tree_(tree), shipped_(shipped) {
    const auto& entries = tree.entries();
    for (auto it = entries.lower_bound(kDpkgInfo);
         it != entries.end() && it->first.starts_with(kDpkgInfo);
         ++it) {
        const bool is_index = it->first.ends_with(".list") || it->first.ends_with(".md5sums");
        if (!is_index && !private_packages.contains(package_of_info_file(it->first))) {
            read(it->second);
        }
    }
    for (auto it = entries.lower_bound(kEtc); it != entries.end() && it->first.starts_with(kEtc);
         ++it) {
        if (it->second.type == FileType::regular && shipped_.is_unchanged(it->first, it->second)) {
            read(it->second);
        }
    }
}

void ShippedText::read(const Entry& entry) {
    if (entry.type != FileType::regular || entry.size > kMaxScannedSize) {
        return;
    }
    const auto content = read_content(tree_, entry, kMaxScannedSize);
    if (!content || !is_text(*content)) {
        return;
    }
    all_words(*content, [&](std::string word) {
        words_.insert(std::move(word));
        return true;
    });
    for (const std::string& line : split_lines(*content)) {
        if (has_telling_word(line)) {
            telling_lines_.emplace(trim(line));
        }
    }
}

void ShippedText::read_files_called(std::string_view name) {
    if (!names_read_.emplace(name).second) {
        return;
    }
    for (const auto& [path, entry] : tree_.entries()) {
        if (base_name(path) == name && entry.type == FileType::regular &&
            shipped_.is_unchanged(path, entry)) {
            read(entry);
        }
    }
}

bool ShippedText::explains(const std::string& path, std::string_view content) {
    if (has_telling_name(path) || !is_text(content)) {
        return false;
    }
    read_files_called(base_name(path));
    const std::string text = without_public_blocks(content);
    const auto lines = split_lines(text);
    return all_words(text, [&](const std::string& word) { return words_.contains(word); }) &&
           std::ranges::all_of(lines, [&](const std::string& line) {
               return !has_telling_word(line) || telling_lines_.contains(std::string(trim(line)));
           });
}

} // namespace kiln
