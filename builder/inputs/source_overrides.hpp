// SPDX-License-Identifier: MIT
//
// Sources of a recipe that the command line replaces.
#pragma once

#include "recipe/recipe.hpp"

#include <map>
#include <string>
#include <string_view>

namespace kiln {

/// What `--source NAME=WHERE` said, by name: a directory, or a git URL and commit ("URL@COMMIT").
using SourceOverrides = std::map<std::string, std::string>;

/// Reads NAME=WHERE. Throws UsageError.
void add_source_override(SourceOverrides& overrides, std::string_view text);

/// The recipe with its sources replaced. Throws UsageError for a name that the recipe does not have
/// and for a WHERE that is neither a directory nor URL@COMMIT.
void apply_source_overrides(Recipe& recipe, const SourceOverrides& overrides);

} // namespace kiln
