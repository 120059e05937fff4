// SPDX-License-Identifier: MIT
#include "stages/packages/auto_installed.hpp"

#include "base/error.hpp"
#include "debian/deb822.hpp"

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>

namespace kiln {

namespace {

constexpr const char* kStates = "/var/lib/apt/extended_states";

/// Paragraphs by package and architecture.
using States = std::map<std::pair<std::string, std::string>, Deb822Paragraph>;

States parse_states(const std::string& text) {
    States states;
    for (Deb822Paragraph& paragraph : parse_deb822(text, kStates)) {
        std::pair key(
            std::string(paragraph.get("Package")), std::string(paragraph.get("Architecture")));
        states[std::move(key)] = std::move(paragraph);
    }
    return states;
}

/// A script may have left anything there.
States states_of_tree(const std::string& text) {
    try {
        return parse_states(text);
    } catch (const Error& error) {
        throw Error(fmt::format("'{}' of the tree is malformed", kStates))
            .with_details({error.message()});
    }
}

} // namespace

void mark_auto_installed(
    const TreeRoot& tree,
    const std::vector<PackageFile>& packages,
    const std::vector<std::string>& requested,
    const std::string& architecture) {
    std::set<std::string> manual;
    for (const std::string& name : requested) {
        manual.insert(name.substr(0, name.find_first_of("=/:"))); // NAME=VERSION, NAME/SUITE
    }
    const std::string before = tree.is_regular_file(kStates) ? tree.read_text(kStates) : "";
    States states = states_of_tree(before);
    for (const PackageFile& package : packages) {
        if (package.essential || manual.contains(package.name)) {
            continue;
        }
        const std::string own = package.architecture == "all" ? architecture : package.architecture;
        Deb822Paragraph& paragraph = states[{package.name, own}];
        paragraph.set("Package", package.name);
        paragraph.set("Architecture", own);
        paragraph.set("Auto-Installed", "1");
    }
    std::string text;
    for (auto& [key, paragraph] : states) {
        if (manual.contains(key.first)) {
            paragraph.set("Auto-Installed", "0");
        }
        text += paragraph.to_string() + "\n";
    }
    if (text != before) {
        tree.write_through(kStates, text, {});
    }
}

} // namespace kiln
