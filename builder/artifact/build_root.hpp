// SPDX-License-Identifier: MIT
//
// The root in which an artifact is built: the tree of a recipe with one packages stage, made of
// locked packages.
#pragma once

#include "build/plan.hpp"
#include "build/store.hpp"
#include "inputs/locked_inputs.hpp"
#include "recipe/artifacts/build_root.hpp"
#include "resolve/solve_request.hpp"

#include <memory>
#include <string>
#include <vector>

namespace kiln {

/// Name of the packages stage that makes a build root, in locks.
inline constexpr const char* kBuildRootStage = "build-root";

class BuildRoot {
  public:
    /// `name` is the artifact's; `refresh` is what makes its lock again, for hints. `lock` and
    /// `pool` must outlive this. Throws Error (exit code 3) when the lock does not fit.
    BuildRoot(
        const std::string& name,
        const BuildRootSpec& spec,
        const Lockfile& lock,
        const Pool& pool,
        std::string refresh);

    /// Of the finished root.
    [[nodiscard]] const Digest& key() const { return plan_.stages.back().key; }

    /// What Store::begin() mounts to have it.
    [[nodiscard]] std::vector<Digest> keys() const;

    [[nodiscard]] std::int64_t epoch() const { return plan_.settings.epoch; }

    /// Fetches and installs what the store does not have. Needs enter_build_namespace() then.
    void make(const InputContext& in, const Store& store, unsigned jobs) const;

  private:
    Recipe recipe_;
    std::unique_ptr<LockedInputs> inputs_;
    Plan plan_;
};

/// The part of a lock request that asks for a build root's packages.
[[nodiscard]] SolveRequest build_root_request(
    const std::string& name,
    const BuildRootSpec& spec,
    const InputContext& in,
    const fs::path& keyring_dir);

} // namespace kiln
