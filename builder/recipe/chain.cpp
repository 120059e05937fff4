// SPDX-License-Identifier: MIT
#include "recipe/chain.hpp"

#include "base/error.hpp"
#include "recipe/merge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kiln {

namespace {

fs::path identity_of(const fs::path& path) {
    std::error_code ignored;
    return fs::weakly_canonical(path, ignored);
}

} // namespace

std::optional<YamlNode> load_named(const fs::path& path, const SourcePos& pos, Diagnostics& diags) {
    try {
        return load_yaml(path, diags);
    } catch (const SystemError& error) {
        diags.error(pos, error.message(), "paths are relative to the file they stand in");
        return std::nullopt;
    }
}

bool closes_cycle(
    const std::vector<fs::path>& open,
    const fs::path& path,
    const SourcePos& pos,
    std::string_view doing,
    Diagnostics& diags) {
    const auto same = [&](const fs::path& other) {
        return identity_of(other) == identity_of(path);
    };
    const auto first = std::find_if(open.begin(), open.end(), same);
    if (first == open.end()) {
        return false;
    }
    std::string names;
    for (auto file = first; file != open.end(); ++file) {
        names += file->string() + " -> ";
    }
    diags.error(pos, fmt::format("{} in a circle: {}{}", doing, names, path.string()));
    return true;
}

FileChain load_chain(const fs::path& path, std::string_view what, Diagnostics& diags) {
    FileChain chain;
    chain.named.push_back(path);
    std::optional<YamlNode> tree = load_yaml(path, diags);
    while (tree) {
        chain.files.push_back({chain.named.back(), std::move(*tree)});
        tree.reset();
        const YamlNode* extends = chain.files.back().tree.find("extends");
        if (extends == nullptr || extends->kind != YamlNode::Kind::scalar ||
            extends->text.empty()) {
            break;
        }
        const fs::path parent = resolve_path(chain.named.back().parent_path(), extends->text);
        chain.is_whole = false;
        const std::string doing = fmt::format("{} extend each other", what);
        if (closes_cycle(chain.named, parent, extends->pos, doing, diags)) {
            break;
        }
        chain.named.push_back(parent);
        tree = load_named(parent, extends->pos, diags);
        chain.is_whole = tree.has_value();
    }
    return chain;
}

} // namespace kiln
