// SPDX-License-Identifier: MIT
//
// Limits of processes (getrlimit(2)): whatever the caller of kiln has, kiln works or says why not,
// and scripts get the same ones everywhere.
#pragma once

#include <cstdint>

namespace kiln {

/// Raises what kiln itself needs of stack and open files as far as the caller's hard limits allow,
/// for threads that are started from now on, too. Throws Error when that is too little.
void raise_own_limits();

/// Raises hard limits as far as this user may, so that set_script_limits() can have its own. Needs
/// the rights of the caller: to be called before any user namespace is entered. Throws Error that
/// names the limit when scripts could not have what they have elsewhere.
void make_room_for_script_limits();

/// Gives this process the limits of scripts (docs/security.md has the list). Allocates nothing and
/// cannot fail after make_room_for_script_limits().
void set_script_limits(std::uint64_t processes, std::uint64_t memory) noexcept;

} // namespace kiln
