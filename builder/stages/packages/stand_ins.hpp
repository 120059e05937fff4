// SPDX-License-Identifier: MIT
//
// Files that stand in the tree while packages are configured: settings of dpkg, the stop on
// services, and programs in place of those whose work is done twice.
#pragma once

#include "base/file.hpp"

#include <set>
#include <string>
#include <vector>

namespace kiln {

/// Puts them in place; the destructor removes them and puts back what they replaced.
class StandIns {
  public:
    /// `packages`: names of those that are being installed.
    StandIns(const fs::path& root, const std::set<std::string, std::less<>>& packages);
    StandIns(const StandIns&) = delete;
    StandIns& operator=(const StandIns&) = delete;
    ~StandIns();

  private:
    std::vector<fs::path> placed_;
};

} // namespace kiln
