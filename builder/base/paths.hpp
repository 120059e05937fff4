// SPDX-License-Identifier: MIT
//
// Where kiln keeps what it may throw away: one root for the pool, apt's lists and stage trees.
#pragma once

#include "base/environment.hpp"

#include <filesystem>

namespace kiln {

/// `$KILN_CACHE`, else `$XDG_CACHE_HOME/kiln`, else `$HOME/.cache/kiln`; empty and relative
/// variables count as unset. Throws Error when none is set.
[[nodiscard]] std::filesystem::path cache_root(const EnvLookup& env = process_env);

} // namespace kiln
