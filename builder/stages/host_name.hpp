// SPDX-License-Identifier: MIT
//
// Lets the sandbox's host name resolve while scripts run: postfix and others refuse to be
// configured on a machine that does not know itself, and sudo complains.
#pragma once

#include "stages/stage_context.hpp"

namespace kiln {

/// While it lives, a tree that has /etc but no /etc/hosts has one with the sandbox's names. What a
/// script adds to it stays, kiln's lines go. A tree's own /etc/hosts is not touched.
class ResolvableHostName {
  public:
    /// `context` must outlive this.
    explicit ResolvableHostName(StageContext& context);
    ResolvableHostName(const ResolvableHostName&) = delete;
    ResolvableHostName& operator=(const ResolvableHostName&) = delete;
    ~ResolvableHostName();

  private:
    void remove_lines() const;

    const TreeRoot& tree_;
    bool placed_ = false;
};

} // namespace kiln
