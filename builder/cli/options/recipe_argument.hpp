// SPDX-License-Identifier: MIT
//
// What the commands that take a RECIPE or another definition have in common.
#pragma once

#include "cli/command.hpp"
#include "inputs/source_overrides.hpp"
#include "recipe/recipe.hpp"

namespace kiln {

inline constexpr PositionalSpec kRecipePositional{
    .name = "RECIPE",
    .doc = "a recipe file, or the name of one in recipes/",
    .completes = Completes::recipe};

inline constexpr OptionSpec kSetOption{
    .name = "--set",
    .value = "NAME=VALUE",
    .doc = "give a variable of the recipe another value",
    .repeatable = true};

inline constexpr OptionSpec kSourceOption{
    .name = "--source",
    .value = "NAME=WHERE",
    .doc = "take a source of the recipe from a directory, from URL@COMMIT, or one of its "
           "alternatives",
    .repeatable = true};

/// Where definitions of a kind lie, and what they are called.
struct DefinitionPlace {
    std::string_view directory;
    std::string_view noun;
};

/// The file that an argument means: a path when it looks like one, else DIRECTORY/ARGUMENT.yaml.
/// Throws UsageError with a suggestion when there is none.
[[nodiscard]] fs::path find_definition(const std::string& argument, const DefinitionPlace& place);

/// Reports all faults; throws Error (exit code 3) when there is any.
void require_no_faults(
    const fs::path& path, const DefinitionPlace& place, const Diagnostics& diags, Context& context);

/// find_definition() in recipes/.
[[nodiscard]] fs::path find_recipe(const std::string& argument);

/// Loads the recipe that RECIPE and --set say, or the alternative of it that a --source chooses.
/// Its file is the first of Recipe::files. Faults are reported, all of them, and end in an Error
/// with exit code 3.
[[nodiscard]] Recipe load_recipe_argument(const Arguments& arguments, Context& context);

/// What --source says besides choosing an alternative.
[[nodiscard]] SourceOverrides source_overrides(const Arguments& arguments, const Recipe& recipe);

/// Writes faults and warnings for people to the console, one object each with --log-format=json.
void report_diagnostics(const Diagnostics& diags, Console& console);

} // namespace kiln
