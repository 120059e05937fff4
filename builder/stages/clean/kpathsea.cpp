// SPDX-License-Identifier: MIT
#include "stages/clean/kpathsea.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <map>
#include <vector>

namespace kiln {

std::optional<std::string> sorted_ls_r(const std::string& text) {
    // db_build() in kpathsea/db.c: the first line says what it is; a line that ends in a colon
    // begins a folder; empty lines count for nothing.
    const std::vector<std::string> lines = split_lines(text);
    if (lines.empty() || !lines.front().starts_with("% ls-R")) {
        return std::nullopt;
    }
    std::string out = lines.front() + '\n';
    std::map<std::string, std::vector<std::string>> folders;
    std::vector<std::string>* names = nullptr;
    for (auto line = lines.begin() + 1; line != lines.end(); ++line) {
        if (line->ends_with(':') && line->starts_with('.')) {
            names = &folders[*line];
        } else if (names != nullptr && !line->empty()) {
            names->push_back(*line);
        } else if (!line->empty()) {
            return std::nullopt;
        }
    }
    for (auto& [folder, unsorted] : folders) {
        std::ranges::sort(unsorted);
        out += '\n' + folder + '\n';
        for (const std::string& name : unsorted) {
            out += name + '\n';
        }
    }
    return out;
}

} // namespace kiln
