// SPDX-License-Identifier: MIT
//
// The keys of a plan's stages, and which of them differ between two plans of one recipe.
#pragma once

#include "build/plan.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::test {

struct StageKey {
    std::string stage;
    Branch branch;
    Digest key;
};

inline std::vector<StageKey> keys_of(const Plan& plan) {
    std::vector<StageKey> out;
    for (const PlannedStage& stage : plan.stages) {
        out.push_back({stage.spec->name, stage.branch, stage.key});
    }
    return out;
}

/// The keys of the stage called `first` and of all stages after it in its branch, or in every
/// branch when it is a common one, differ, and no others. No key differs when `first` is empty.
inline void expect_keys_differ_from(
    std::string_view first,
    const std::vector<StageKey>& before,
    const std::vector<StageKey>& after) {
    ASSERT_EQ(after.size(), before.size());
    std::set<Branch> reached;
    for (std::size_t i = 0; i < before.size(); ++i) {
        const Branch branch = before[i].branch;
        if (before[i].stage == first) {
            reached.insert(branch);
        }
        EXPECT_EQ(
            after[i].key != before[i].key,
            reached.contains(branch) || reached.contains(Branch::common))
            << "key of stage '" << before[i].stage << "' of branch '" << branch_name(branch) << "'";
    }
    EXPECT_EQ(reached.empty(), first.empty()) << "there is no stage '" << first << "'";
}

} // namespace kiln::test
