// SPDX-License-Identifier: MIT
//
// What building a perl bundle comes to: the stages of its build root, and the key under which each
// step's result is kept.
#pragma once

#include "perl/build_commands.hpp"
#include "pipeline/locked_inputs.hpp"
#include "pipeline/plan.hpp"
#include "recipe/bundle.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace kiln {

/// One distribution, in build order.
struct PlannedDistribution {
    const LockedDistribution* locked = nullptr;
    const LockedSource* source = nullptr;
    BuildTool tool = BuildTool::makefile;
    std::vector<std::size_t> needs;     ///< places of those it is built on
    std::vector<std::size_t> all_needs; ///< with what these need in turn, ascending
    Digest key;
};

class BundlePlan {
  public:
    /// `bundle`, `lock` and `pool` must outlive the plan. Throws Error (exit code 3) when the lock
    /// does not fit the bundle.
    BundlePlan(const PerlBundle& bundle, const Lockfile& lock, const Pool& pool);

    [[nodiscard]] const Recipe& root_recipe() const { return recipe_; }

    [[nodiscard]] const LockedInputs& root_inputs() const { return *inputs_; }

    /// The stages of the build root.
    [[nodiscard]] const Plan& root_plan() const { return plan_; }

    [[nodiscard]] const LockedSource& perl_source() const { return *perl_source_; }

    [[nodiscard]] const PerlLayout& perl() const { return perl_; }

    [[nodiscard]] const Digest& perl_key() const { return perl_key_; }

    [[nodiscard]] const std::vector<PlannedDistribution>& distributions() const {
        return distributions_;
    }

    /// Of the finished artifact.
    [[nodiscard]] const Digest& key() const { return key_; }

  private:
    void check_fit(const PerlBundle& bundle, const Lockfile& lock) const;
    void add_distributions(const Lockfile& lock);

    Recipe recipe_;
    std::unique_ptr<LockedInputs> inputs_;
    Plan plan_;
    const LockedSource* perl_source_ = nullptr;
    PerlLayout perl_;
    Digest perl_key_;
    std::vector<PlannedDistribution> distributions_;
    Digest key_;
};

/// Name of the packages stage that makes a build root, in locks.
inline constexpr const char* kBuildRootStage = "build-root";

} // namespace kiln
