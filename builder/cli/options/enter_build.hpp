// SPDX-License-Identifier: MIT
//
// Enters the build namespace and tells people when the kernel allows less containment than usual.
#pragma once

#include "base/console.hpp"
#include "sandbox/namespaces.hpp"

namespace kiln {

/// enter_build_namespace(), with a warning when sandboxes have no user namespace of their own.
inline void enter_build(Console& console) {
    if (!enter_build_namespace().has_sandbox_user_namespace) {
        console.warning(
            "user namespaces are not available to root on this host: maintainer scripts run as "
            "root with few capabilities; build trusted recipes only (docs/security.md)");
    }
}

} // namespace kiln
