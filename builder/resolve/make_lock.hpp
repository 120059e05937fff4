// SPDX-License-Identifier: MIT
//
// From a recipe to its lock: packages by apt's solver, sources by their own digests.
#pragma once

#include "inputs/input_context.hpp"
#include "lock/lockfile.hpp"
#include "recipe/recipe.hpp"
#include "resolve/solve_request.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace kiln {

struct LockRequest {
    /// Only these packages may change (`--update`); empty: everything is resolved again.
    std::set<std::string> update;
    std::optional<Lockfile> before; ///< the lock so far, for `update`
    fs::path keyring_dir = kKeyringFolder;
    std::vector<LockedSource> artifacts; ///< see RecipeArtifacts::locked()
};

/// Solves and pins. Needs the archives' mirrors; see solve() for what it throws.
[[nodiscard]] Lockfile
make_lock(const Recipe& recipe, const LockRequest& request, const InputContext& in);

/// Archives as solve() wants them, one for each suite, at the first mirror that serves it.
/// `debian_keyring` signs those that name no keyring of their own.
[[nodiscard]] std::vector<SolveArchive> solve_archives(
    const std::vector<ArchiveSpec>& archives,
    const InputContext& in,
    const fs::path& debian_keyring);

/// The host's proxies, for apt.
void set_proxies(SolveRequest& request, const InputContext& in);

/// Throws Error with --offline: a lock is made of what the archives have now.
void require_online(const InputContext& in);

/// The lock of what was solved, by this kiln; without sources, which are the caller's to choose.
[[nodiscard]] Lockfile
lock_of(const std::string& name, const SolveRequest& request, SolveResult solved);

/// Writes a lock and returns what changed, in words for people, since the one that was there; one
/// that could not be read counts as none. Warns of archives that are older than they were.
[[nodiscard]] std::vector<std::string>
replace_lock(const fs::path& path, const Lockfile& lock, Console& console);

} // namespace kiln
