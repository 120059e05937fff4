// SPDX-License-Identifier: MIT
//
// What the commands that take a RECIPE have in common.
#pragma once

#include "cli/command.hpp"
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

/// The file that RECIPE means: a path when it looks like one, else recipes/RECIPE.yaml. Throws
/// UsageError with a suggestion when there is none.
[[nodiscard]] fs::path find_recipe(const std::string& argument);

/// Loads the recipe that RECIPE and --set say. Faults are reported, all of them, and end in an
/// Error with exit code 3.
[[nodiscard]] Recipe load_recipe_argument(const Arguments& arguments, Context& context);

/// Writes faults and warnings for people to the console, one object each with --log-format=json.
void report_diagnostics(const Diagnostics& diags, Console& console);

} // namespace kiln
