// SPDX-License-Identifier: MIT
//
// The lines of stages that a recipe has.
#pragma once

#include <string_view>

namespace kiln {

/// Common stages make the tree; the two others add to it what only disks or only containers need,
/// each followed by the recipe's final stages.
enum class Branch { common, vm, oci };

/// "common", "vm" or "oci", as locks and records have it.
[[nodiscard]] constexpr std::string_view branch_name(Branch branch) {
    switch (branch) {
    case Branch::vm:
        return "vm";
    case Branch::oci:
        return "oci";
    default:
        return "common";
    }
}

} // namespace kiln
