// SPDX-License-Identifier: MIT
//
// Files that are in the tree only while packages are configured: settings of dpkg, a policy-rc.d
// that keeps services from starting, and wrappers of programs that would do their work twice.
#pragma once

#include "tree/tree_root.hpp"

#include <set>
#include <string>
#include <vector>

namespace kiln {

/// Installs the replacements; the destructor removes them and restores the original files.
class ProgramReplacements {
  public:
    /// `packages`: names of those that are being installed. `tree` must outlive this.
    ProgramReplacements(const TreeRoot& tree, const std::set<std::string, std::less<>>& packages);
    ProgramReplacements(const ProgramReplacements&) = delete;
    ProgramReplacements& operator=(const ProgramReplacements&) = delete;
    ~ProgramReplacements();

  private:
    const TreeRoot& tree_;
    std::vector<std::string> placed_;
};

} // namespace kiln
