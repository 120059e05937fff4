// SPDX-License-Identifier: MIT
#include "perl/cpan_index.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "debian/deb822.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kiln {

namespace {

/// Paths become parts of URLs and names in locks.
bool is_plain(std::string_view path) {
    return std::ranges::all_of(path, [](char c) { return c > 0x20 && c < 0x7F; });
}

} // namespace

CpanIndex CpanIndex::parse(std::string_view text, const std::string& name) {
    CpanIndex out;
    bool in_header = true;
    int number = 0;
    for (const std::string& line : split_lines(text)) {
        ++number;
        if (in_header) {
            in_header = !trim(line).empty();
            continue;
        }
        const std::vector<std::string> words = deb822_words(line);
        if (words.empty()) {
            continue;
        }
        if (words.size() != 3 || words[2].find("..") != std::string::npos ||
            words[2].starts_with('/') || !is_plain(words[2])) {
            throw Error(fmt::format(
                "{}:{}: expected MODULE VERSION PATH, found '{}'", name, number, excerpt(line)));
        }
        out.entries_[words[0]] = {
            words[1] == "undef" ? std::string() : words[1], "authors/id/" + words[2]};
    }
    if (in_header) {
        throw Error(fmt::format("'{}' is not a package index: the header is missing", name));
    }
    return out;
}

std::optional<CpanEntry> CpanIndex::find(std::string_view module) const {
    const auto found = entries_.find(module);
    return found == entries_.end() ? std::nullopt : std::optional(found->second);
}

} // namespace kiln
