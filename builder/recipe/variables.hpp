// SPDX-License-Identifier: MIT
//
// ${NAME} in the scalar values of a recipe.
#pragma once

#include "recipe/yaml/yaml.hpp"

#include <functional>
#include <map>
#include <string>

namespace kiln {

using Variables = std::map<std::string, std::string, std::less<>>;

/// How many bytes the values of variables may add to one recipe: short files that name a long value
/// often would otherwise fill the memory.
struct ExpansionBudget {
    std::size_t left = std::size_t{4} << 20U;
    bool said = false; ///< that it is spent
};

/// Replaces ${NAME} in every scalar value below `node` (keys stay as they are); $${ represents a
/// plain ${. Unknown names are reported where they stand,
/// and their scalars become `invalid`.
void substitute(
    YamlNode& node, const Variables& variables, Diagnostics& diags, ExpansionBudget& budget);
/// With a separate budget.
void substitute(YamlNode& node, const Variables& variables, Diagnostics& diags);

} // namespace kiln
