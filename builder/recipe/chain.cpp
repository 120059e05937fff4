// SPDX-License-Identifier: MIT
#include "recipe/chain.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
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

bool LoadBudget::allows_another(const SourcePos& pos, Diagnostics& diags) {
    if (files_ < kMaxFiles && bytes_ < kMaxBytes) {
        return true;
    }
    if (!std::exchange(said_, true)) {
        diags.error(
            pos,
            fmt::format(
                "the recipe reads more than {} files or {}", kMaxFiles, format_size(kMaxBytes)),
            "every use of a part counts");
    }
    return false;
}

bool LoadBudget::allows_depth(std::size_t depth, const SourcePos& pos, Diagnostics& diags) {
    if (depth < kMaxDepth) {
        return true;
    }
    diags.error(
        pos, fmt::format("'extends' and parts are nested more than {} files deep", kMaxDepth));
    return false;
}

void LoadBudget::spend(const YamlNode& tree) {
    ++files_;
    bytes_ += tree.pos.file ? tree.pos.file->text.size() : 0;
}

std::optional<YamlNode>
load_named(const fs::path& path, const SourcePos& pos, LoadBudget& budget, Diagnostics& diags) {
    if (!budget.allows_another(pos, diags)) {
        return std::nullopt;
    }
    try {
        std::optional<YamlNode> tree = load_yaml(path, diags);
        budget.spend(tree.value_or(YamlNode()));
        return tree;
    } catch (const SystemError& error) {
        diags.error(pos, error.message(), "paths are relative to the file that contains them");
    } catch (const Error& error) {
        diags.error(pos, error.message());
    }
    return std::nullopt;
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
    diags.error(pos, fmt::format("{}: {}{}", doing, names, path.string()));
    return true;
}

FileChain load_chain(
    const fs::path& path, std::string_view what, const ResolveName& resolve, Diagnostics& diags) {
    FileChain chain;
    chain.named.push_back(path);
    std::optional<YamlNode> tree = load_yaml(path, diags);
    while (tree) {
        chain.budget.spend(*tree);
        chain.files.push_back({chain.named.back(), std::move(*tree)});
        tree.reset();
        const YamlNode* extends = chain.files.back().tree.find("extends");
        if (extends == nullptr || extends->kind != YamlNode::Kind::scalar ||
            extends->text.empty()) {
            break;
        }
        const fs::path parent = resolve(chain.named.back().parent_path(), extends->text);
        chain.is_whole = false;
        const std::string doing = fmt::format("circular 'extends' between {}", what);
        if (closes_cycle(chain.named, parent, extends->pos, doing, diags) ||
            !LoadBudget::allows_depth(chain.named.size(), extends->pos, diags)) {
            break;
        }
        chain.named.push_back(parent);
        LoadBudget own; // the chain's depth bounds it
        tree = load_named(parent, extends->pos, own, diags);
        chain.is_whole = tree.has_value();
    }
    return chain;
}

} // namespace kiln
