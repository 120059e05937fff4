// SPDX-License-Identifier: MIT
//
// What a bake will do: the stages of a recipe in order, each with the key under which its tree is
// kept. A key hashes everything that can change the tree (architecture.md, D8); equal keys, equal
// trees.
#pragma once

#include "recipe/branch.hpp"
#include "recipe/recipe.hpp"
#include "stages/stage.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace kiln {

struct PlannedStage {
    const StageSpec* spec = nullptr;
    std::unique_ptr<Stage> stage;
    Branch branch = Branch::common;
    Digest key;
};

/// A chain of stages from an empty tree to a finished one.
struct Chain {
    Branch branch = Branch::common;
    std::vector<const PlannedStage*> stages;
};

struct Plan {
    BakeSettings settings;
    /// Common ones first, then vm's with the final ones, then oci's with the final ones.
    std::vector<PlannedStage> stages;

    /// The stages of one image's tree.
    [[nodiscard]] Chain chain(Branch branch) const;
};

/// What holds for every stage of a recipe; `epoch` is its lock's.
[[nodiscard]] BakeSettings bake_settings(const Recipe& recipe, std::int64_t epoch);

/// `recipe` and `inputs` must outlive the plan. Faults that only the stages can see go to `diags`;
/// keys are computed only when there are none.
[[nodiscard]] Plan make_plan(
    const Recipe& recipe, const StageInputs& inputs, BakeSettings settings, Diagnostics& diags);

/// The checks of make_plan alone, for `kiln check`, which has no lock yet.
void check_stages(const Recipe& recipe, Diagnostics& diags);

} // namespace kiln
