// SPDX-License-Identifier: MIT
//
// Lets the sandbox's host name resolve while packages are configured: postfix and others refuse to
// on a machine that does not know itself. Not for `run` stages: the folder /etc would be part of
// what they change (REPRO).
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
