// SPDX-License-Identifier: MIT
#include "inputs/source_overrides.hpp"

#include "base/error.hpp"
#include "base/io/file.hpp"

#include <fmt/format.h>

#include <regex>
#include <vector>

namespace kiln {

namespace {

/// What to say of the words that could have been meant.
std::string alternatives_of(const Recipe& recipe, const std::string& source) {
    const auto words = recipe.alternatives.find(source);
    if (words == recipe.alternatives.end()) {
        return {};
    }
    std::vector<std::string> names;
    for (const auto& [word, file] : words->second) {
        names.push_back(word);
    }
    return fmt::format("or one of the alternatives: {}", fmt::join(names, ", "));
}

} // namespace

void add_source_override(SourceOverrides& overrides, std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string_view::npos || equals + 1 == text.size()) {
        throw UsageError(
            fmt::format("'--source {}': expected NAME=DIRECTORY or NAME=URL@COMMIT", text));
    }
    overrides[std::string(text.substr(0, equals))] = std::string(text.substr(equals + 1));
}

void apply_source_overrides(Recipe& recipe, const SourceOverrides& overrides) {
    static const std::regex kGit("^(.+)@([0-9a-f]{40})$");
    for (const auto& [name, where] : overrides) {
        const auto source = recipe.sources.find(name);
        if (source == recipe.sources.end()) {
            throw UsageError(
                fmt::format("'--source {}={}': the recipe has no source '{}'", name, where, name));
        }
        std::smatch match;
        if (fs::is_directory(where)) {
            source->second.from = DirectorySource{where};
        } else if (std::regex_match(where, match, kGit)) {
            source->second.from = GitSource{match[1].str(), match[2].str()};
        } else {
            throw UsageError(fmt::format(
                                 "'--source {}={}': neither a directory nor URL@COMMIT with 40 "
                                 "hexadecimal digits",
                                 name,
                                 where))
                .with_hint(alternatives_of(recipe, name));
        }
    }
}

} // namespace kiln
