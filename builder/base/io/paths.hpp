// SPDX-License-Identifier: MIT
//
// Where kiln keeps what it may throw away: one root for the pool, apt's lists and stage trees;
// where it keeps what it may not; and that such folders are nobody else's. The roots and what is
// directly in them are for their owner alone (0700): trees hold programs that are set-user-id for
// the users of an image, and vulnerable old ones, which no user of this host may run.
#pragma once

#include "base/environment.hpp"

#include <filesystem>
#include <string>

namespace kiln {

/// `$KILN_CACHE`, else `$XDG_CACHE_HOME/kiln`, else `$HOME/.cache/kiln`; empty
/// variables and a relative XDG_CACHE_HOME or HOME count as unset. Throws Error when none is set,
/// and for a relative KILN_CACHE.
[[nodiscard]] std::filesystem::path cache_root(const EnvLookup& env = process_env);

/// Makes a folder that is this user's alone (mode 0700), or takes the rights of others from one
/// that is there, if it may. For folders below own_cache_root(), where nobody else can have made
/// one.
void make_private_folder(const std::filesystem::path& folder);

/// Makes cache_root() if needed and checks it: it must belong to this user or root, nobody else may
/// write to it, and no folder above it may be writable for all (but with the sticky bit). Rights of
/// others to read it are taken away unless it holds anything that is not kiln's. Call it before
/// enter_build_namespace(): owners look different afterwards. Throws Error with a hint.
[[nodiscard]] std::filesystem::path own_cache_root(const EnvLookup& env = process_env);

/// Where kiln remembers what it did elsewhere and has not finished, which no cache may lose:
/// `$KILN_STATE`, else `$XDG_STATE_HOME/kiln`, else `$HOME/.local/state/kiln`. Made if needed (mode
/// 0700) and checked as own_cache_root() does. Throws Error with a hint.
[[nodiscard]] std::filesystem::path own_state_root(const EnvLookup& env = process_env);

/// A warning when a folder above the cache belongs to another user than root, who could put another
/// cache in its place; else an empty text. To be called when own_cache_root() is.
[[nodiscard]] std::string warning_of_cache(const std::filesystem::path& root);

/// Looks at a folder for results before anything is written to it. Throws Error when every user of
/// this host could put links into it; returns a warning, else an empty text, when it belongs to
/// another user, who could do the same.
[[nodiscard]] std::string check_out_folder(const std::filesystem::path& folder);

} // namespace kiln
