// SPDX-License-Identifier: MIT
//
// Files that stand in the tree while packages are configured: settings of dpkg, the stop on
// services, and programs in place of those whose work is done twice.
#pragma once

#include "tree/tree_root.hpp"

#include <set>
#include <string>
#include <vector>

namespace kiln {

/// Puts them in place; the destructor removes them and puts back what they replaced.
class StandIns {
  public:
    /// `packages`: names of those that are being installed. `tree` must outlive this.
    StandIns(const TreeRoot& tree, const std::set<std::string, std::less<>>& packages);
    StandIns(const StandIns&) = delete;
    StandIns& operator=(const StandIns&) = delete;
    ~StandIns();

  private:
    const TreeRoot& tree_;
    std::vector<std::string> placed_;
};

} // namespace kiln
