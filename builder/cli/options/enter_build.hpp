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
            "the kernel gives root no user namespace here: scripts of packages run as root of this "
            "machine, with few capabilities; build trusted recipes only (docs/security.md)");
    }
}

} // namespace kiln
