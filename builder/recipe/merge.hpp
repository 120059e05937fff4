// SPDX-License-Identifier: MIT
//
// From checked values to a Recipe, one file of a chain after the other.
#pragma once

#include "recipe/recipe.hpp"

namespace kiln {

/// Reads a list of shape archives_shape(); `base_dir` is its file's.
[[nodiscard]] std::vector<ArchiveSpec>
read_archives(const Value& archives, const fs::path& base_dir);

/// Takes over what a recipe file gives besides stages and images: single values and lists replace
/// what was there, maps do so key by key. `value` is of shape recipe_shape(); `base_dir` is its
/// file's.
void merge_into(Recipe& recipe, const Value& value, const fs::path& base_dir);

} // namespace kiln
