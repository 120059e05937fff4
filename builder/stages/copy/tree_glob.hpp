// SPDX-License-Identifier: MIT
//
// Paths that a recipe names to be removed or emptied, with wildcards as in a shell.
#pragma once

#include "stages/stage_context.hpp"

#include <string>
#include <vector>

namespace kiln {

/// The paths of the tree that `pattern` represents, sorted: '*', '?' and '[...]' match within a
/// component, and no leading dot unless it is written (glob(7)). A path that exists as it is
/// written represents itself. Links before the last component lead where the booted system would
/// go; of several names of one folder a wildcard below it takes the first.
[[nodiscard]] std::vector<std::string>
matching_paths(const TreeRoot& tree, const std::string& pattern);

/// The same; what represents nothing is said on the console.
[[nodiscard]] std::vector<std::string>
named_paths(const StageContext& context, const std::string& pattern);

} // namespace kiln
