// SPDX-License-Identifier: MIT
//
// ${NAME} in the scalar values of a recipe.
#pragma once

#include "recipe/yaml.hpp"

#include <functional>
#include <map>
#include <string>

namespace kiln {

using Variables = std::map<std::string, std::string, std::less<>>;

/// Replaces ${NAME} in every scalar value below `node` (keys stay as they are); $${ stands for a
/// plain ${. Unknown names are reported where they stand,
/// and their scalars become `invalid`.
void substitute(YamlNode& node, const Variables& variables, Diagnostics& diags);

} // namespace kiln
