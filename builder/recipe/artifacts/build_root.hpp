// SPDX-License-Identifier: MIT
//
// The build root of an artifact: the packages in which it is built, and the keys that say so.
#pragma once

#include "recipe/recipe.hpp"

#include <string>
#include <vector>

namespace kiln {

struct BuildRootSpec {
    std::string architecture{kDefaultArchitecture};
    std::vector<ArchiveSpec> archives; ///< where the packages come from
    std::vector<std::string> packages; ///< besides Essential ones
};

/// `build:` of an artifact's definition.
[[nodiscard]] const Shape& build_shape();

/// Takes over what a definition's `architecture`, `archives` and `build` give. Paths are relative
/// to `base_dir`.
void merge_build_root(BuildRootSpec& root, const Value& value, const fs::path& base_dir);

} // namespace kiln
