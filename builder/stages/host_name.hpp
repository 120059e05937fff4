// SPDX-License-Identifier: MIT
//
// Lets the sandbox's host name resolve while scripts run: postfix and others do not get configured
// on a machine that does not know itself.
#pragma once

#include "base/tree_root.hpp"

namespace kiln {

/// While it lives, a tree that has /etc but no /etc/hosts has one with the sandbox's names. What a
/// script adds to it stays, kiln's lines go. A tree's own /etc/hosts is not touched.
class ResolvableHostName {
  public:
    /// `tree` must outlive this.
    explicit ResolvableHostName(const TreeRoot& tree);
    ResolvableHostName(const ResolvableHostName&) = delete;
    ResolvableHostName& operator=(const ResolvableHostName&) = delete;
    ~ResolvableHostName();

  private:
    void take_back() const;

    const TreeRoot& tree_;
    bool placed_ = false;
};

} // namespace kiln
