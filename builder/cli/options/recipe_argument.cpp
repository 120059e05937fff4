// SPDX-License-Identifier: MIT
#include "cli/options/recipe_argument.hpp"

#include "artifact/lookup/recipe_artifacts.hpp"
#include "base/error.hpp"
#include "build/plan.hpp"
#include "cli/options/stage_table.hpp"

namespace kiln {

namespace {

Recipe load_checked(const fs::path& path, const LoadOptions& options, Context& context) {
    Diagnostics diags;
    std::optional<Recipe> recipe = load_recipe(path, options, diags);
    if (recipe) {
        check_stages(*recipe, diags);
        check_artifacts(*recipe, diags);
    }
    require_no_faults(path, info_of(DefinitionKind::recipe).noun, diags, context);
    KILN_CHECK(recipe.has_value());
    return std::move(*recipe);
}

/// The recipe to take instead of one that has a source and a word for it; empty when it has none.
fs::path alternative(const Recipe& recipe, const std::string& source, const std::string& word) {
    const auto words = recipe.alternatives.find(source);
    if (words == recipe.alternatives.end()) {
        return {};
    }
    const auto found = words->second.find(word);
    return found == words->second.end() ? fs::path() : found->second;
}

} // namespace

LoadOptions load_options(Project project, Variables set) {
    return {std::move(set), stage_table(), std::move(project)};
}

Recipe load_recipe_argument(const Arguments& arguments, Context& context) {
    FoundDefinition found = find_definition(
        DefinitionKind::recipe, arguments.positional(kRecipePositional.name), context);
    LoadOptions options = load_options(std::move(found.project));
    for (const std::string& text : arguments.values(kSetOption.name)) {
        add_override(options.set, text);
    }
    Recipe recipe = load_checked(found.path, options, context);
    SourceOverrides sources;
    for (const std::string& text : arguments.values(kSourceOption.name)) {
        add_source_override(sources, text);
    }
    for (const auto& [name, where] : sources) {
        if (const fs::path file = alternative(recipe, name, where); !file.empty()) {
            return load_checked(file, options, context);
        }
    }
    return recipe;
}

SourceOverrides source_overrides(const Arguments& arguments, const Recipe& recipe) {
    SourceOverrides out;
    for (const std::string& text : arguments.values(kSourceOption.name)) {
        add_source_override(out, text);
    }
    std::erase_if(out, [&](const auto& each) {
        return !alternative(recipe, each.first, each.second).empty();
    });
    return out;
}

} // namespace kiln
