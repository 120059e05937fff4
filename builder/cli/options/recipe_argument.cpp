// SPDX-License-Identifier: MIT
#include "cli/options/recipe_argument.hpp"

#include "artifact/lookup/recipe_artifacts.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "build/plan.hpp"
#include "cli/options/stage_table.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <ostream>

namespace kiln {

namespace {

constexpr DefinitionPlace kRecipes{"recipes", "recipe"};

std::vector<std::string> names_in(std::string_view directory) {
    std::vector<std::string> names;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
        if (entry.path().extension() == ".yaml") {
            names.push_back(entry.path().stem().string());
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

nlohmann::ordered_json to_json(const Diagnostic& diagnostic) {
    return {
        {"severity", diagnostic.severity == Severity::error ? "error" : "warning"},
        {"file", diagnostic.pos.file ? diagnostic.pos.file->name : ""},
        {"line", diagnostic.pos.line},
        {"column", diagnostic.pos.column},
        {"length", diagnostic.pos.length},
        {"message", diagnostic.message},
        {"hint", diagnostic.hint}};
}

void write_faults(
    const fs::path& path, std::string_view noun, const Diagnostics& diags, std::ostream& out) {
    nlohmann::ordered_json faults = nlohmann::ordered_json::array();
    for (const Diagnostic& diagnostic : diags.all()) {
        faults.push_back(to_json(diagnostic));
    }
    nlohmann::ordered_json json{{noun, path.string()}, {"faults", std::move(faults)}};
    if (diags.omitted() > 0) {
        json["omitted"] = diags.omitted();
    }
    out << json_text(json) << '\n';
}

} // namespace

fs::path find_definition(const std::string& argument, const DefinitionPlace& place) {
    const bool is_path = argument.find('/') != std::string::npos || argument.ends_with(".yaml") ||
                         argument.ends_with(".yml");
    if (is_path) {
        return argument;
    }
    const fs::path named = fs::path(place.directory) / (argument + ".yaml");
    if (fs::exists(named)) {
        return named;
    }
    const std::vector<std::string> names = names_in(place.directory);
    const std::vector<std::string_view> known(names.begin(), names.end());
    throw UsageError(fmt::format("there is no {} '{}'", place.noun, named.string()))
        .with_hint(did_you_mean(argument, known))
        .with_hint(
            known.empty() ? fmt::format("name the {}'s file, such as './web.yaml'", place.noun)
                          : fmt::format("there are: {}", fmt::join(known, ", ")));
}

fs::path find_recipe(const std::string& argument) {
    return find_definition(argument, kRecipes);
}

void require_no_faults(
    const fs::path& path,
    const DefinitionPlace& place,
    const Diagnostics& diags,
    Context& context) {
    if (context.global.json && diags.has_errors()) {
        write_faults(path, place.noun, diags, context.io.out);
    } else {
        report_diagnostics(diags, context.console);
    }
    if (diags.has_errors()) {
        throw Error(
            fmt::format(
                "{} '{}' has {} fault{}",
                place.noun,
                path.string(),
                diags.error_count(),
                diags.error_count() == 1 ? "" : "s"),
            ExitCode::invalid_recipe);
    }
}

void report_diagnostics(const Diagnostics& diags, Console& console) {
    if (!console.options().json) {
        console.raw(diags.render_all());
        return;
    }
    for (const Diagnostic& diagnostic : diags.all()) {
        console.message(
            diagnostic.severity == Severity::error ? Level::error : Level::warning,
            fmt::format("{}: {}", diagnostic.pos.to_string(), diagnostic.message));
    }
    if (diags.omitted() > 0) {
        console.message(Level::error, fmt::format("... and {} more", diags.omitted()));
    }
}

namespace {

Recipe load_checked(const fs::path& path, const LoadOptions& options, Context& context) {
    Diagnostics diags;
    std::optional<Recipe> recipe = load_recipe(path, options, diags);
    if (recipe) {
        check_stages(*recipe, diags);
        check_artifacts(*recipe, diags);
    }
    require_no_faults(path, kRecipes, diags, context);
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

Recipe load_recipe_argument(const Arguments& arguments, Context& context) {
    LoadOptions options{{}, stage_table()};
    for (const std::string& text : arguments.values(kSetOption.name)) {
        add_override(options.set, text);
    }
    Recipe recipe =
        load_checked(find_recipe(arguments.positional(kRecipePositional.name)), options, context);
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
