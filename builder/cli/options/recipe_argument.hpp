// SPDX-License-Identifier: MIT
//
// What the commands that take a RECIPE or another definition have in common.
#pragma once

#include "cli/options/project_argument.hpp"
#include "inputs/source_overrides.hpp"
#include "recipe/recipe.hpp"

namespace kiln {

inline constexpr PositionalSpec kRecipePositional{
    .name = "RECIPE",
    .doc = "recipe file, or the name of one in the project",
    .completes = Completes::recipe};

inline constexpr OptionSpec kSetOption{
    .name = "--set",
    .value = "NAME=VALUE",
    .doc = "set a variable of the recipe",
    .repeatable = true};

inline constexpr OptionSpec kSourceOption{
    .name = "--source",
    .value = "NAME=WHERE",
    .doc = "replace a source of the recipe by a directory, URL@COMMIT or one of its alternatives",
    .repeatable = true};

/// Loads the recipe that RECIPE and --set say, or the alternative of it that a --source chooses.
/// Its file is the first of Recipe::files. Faults are reported, all of them, and end in an Error
/// with exit code 3.
[[nodiscard]] Recipe load_recipe_argument(const Arguments& arguments, Context& context);

/// What --source says besides choosing an alternative.
[[nodiscard]] SourceOverrides source_overrides(const Arguments& arguments, const Recipe& recipe);

/// How the recipes of a project are read.
[[nodiscard]] LoadOptions load_options(Project project, Variables set = {});

} // namespace kiln
