// SPDX-License-Identifier: MIT
//
// What building a perl bundle comes to: its build root, and the key under which each
// step's result is kept.
#pragma once

#include "artifact/build_root.hpp"
#include "perl/build_commands.hpp"
#include "recipe/artifacts/bundle.hpp"

#include <cstddef>
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

    [[nodiscard]] const BuildRoot& root() const { return root_; }

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

    BuildRoot root_;
    const LockedSource* perl_source_ = nullptr;
    PerlLayout perl_;
    Digest perl_key_;
    std::vector<PlannedDistribution> distributions_;
    Digest key_;
};

} // namespace kiln
