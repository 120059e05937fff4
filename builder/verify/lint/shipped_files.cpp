// SPDX-License-Identifier: MIT
#include "verify/lint/shipped_files.hpp"

#include "base/text.hpp"
#include "verify/read/image_files.hpp"

#include <fmt/format.h>

#include <vector>

namespace kiln {

namespace {

constexpr std::string_view kStatus = "var/lib/dpkg/status";
constexpr std::string_view kPackage = "Package: ";
constexpr std::size_t kMd5Digits = 32;

} // namespace

std::string package_of_info_file(std::string_view path) {
    const std::string_view name = base_name(path);
    const std::string_view stem = name.substr(0, name.rfind('.'));
    return std::string(stem.substr(0, stem.find(':')));
}

ShippedFiles::ShippedFiles(const FileTree& tree, const std::set<std::string>& private_packages)
    : tree_(tree) {
    const auto& entries = tree.entries();
    for (auto it = entries.lower_bound(kDpkgInfo);
         it != entries.end() && it->first.starts_with(kDpkgInfo);
         ++it) {
        const bool is_list = it->first.ends_with(".list");
        if (!is_list && (!it->first.ends_with(".md5sums") ||
                         private_packages.contains(package_of_info_file(it->first)))) {
            continue;
        }
        const auto text = read_content(tree, it->second);
        if (text && is_list) {
            read_list(*text);
        } else if (text) {
            read_md5sums(*text);
        }
    }
    const Entry* status = tree.find(kStatus);
    const auto text = status == nullptr ? std::nullopt : read_content(tree, *status);
    if (text) {
        read_conffiles(*text, private_packages);
    }
}

void ShippedFiles::read_list(const std::string& text) {
    for (const std::string& line : split_lines(text)) {
        paths_.insert(in_tree(line));
    }
}

/// deb-md5sums(5): digits, two spaces, path without leading slash.
void ShippedFiles::read_md5sums(const std::string& text) {
    for (const std::string& line : split_lines(text)) {
        if (line.size() > kMd5Digits + 2) {
            md5sums_[in_tree(std::string_view(line).substr(kMd5Digits + 2))] =
                line.substr(0, kMd5Digits);
        }
    }
}

/// Lines " /PATH DIGITS [obsolete]" below a line "Conffiles:".
void ShippedFiles::read_conffiles(
    const std::string& text, const std::set<std::string>& private_packages) {
    bool inside = false;
    bool is_private = false;
    for (const std::string& line : split_lines(text)) {
        if (line.starts_with(kPackage)) {
            is_private = private_packages.contains(line.substr(kPackage.size()));
        }
        if (!line.starts_with(' ')) {
            inside = line == "Conffiles:" && !is_private;
            continue;
        }
        const auto words = split(trim(line), ' ');
        if (inside && words.size() >= 2 && words[1].size() == kMd5Digits) {
            md5sums_[in_tree(words[0])] = words[1];
        }
    }
}

std::string ShippedFiles::in_tree(std::string_view path) {
    while (path.starts_with('/')) {
        path.remove_prefix(1);
    }
    const std::string_view directory = parent_path(path);
    auto known = directories_.find(directory);
    if (known == directories_.end()) {
        const auto resolved = resolve_path(tree_, std::string(directory));
        known = directories_.emplace(directory, resolved.value_or(std::string(directory))).first;
    }
    const std::string_view name = base_name(path);
    return known->second.empty() ? std::string(name) : fmt::format("{}/{}", known->second, name);
}

bool ShippedFiles::is_unchanged(const std::string& path, const Entry& entry) const {
    if (!contains(path)) {
        return false;
    }
    const auto content = read_content(tree_, entry);
    const auto md5sum = md5sums_.find(path);
    return !content || (md5sum != md5sums_.end() && md5_hex(*content) == md5sum->second);
}

bool ShippedFiles::has_copy(const Entry& entry) {
    if (contents_.empty()) {
        for (const auto& [path, other] : tree_.entries()) {
            if (other.type == FileType::regular && other.size > 0 && contains(path)) {
                contents_.insert(other.content);
            }
        }
    }
    return contents_.contains(entry.content);
}

} // namespace kiln
