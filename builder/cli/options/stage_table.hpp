// SPDX-License-Identifier: MIT
//
// The kinds of stages that recipes may use, for the commands that read recipes.
#pragma once

#include "recipe/recipe.hpp"

namespace kiln {

[[nodiscard]] std::span<const StageShape> stage_table();

} // namespace kiln
