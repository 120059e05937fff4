// SPDX-License-Identifier: MIT
//
// From a recipe to its lock: packages by apt's solver, sources by their own digests.
#pragma once

#include "formats/lockfile.hpp"
#include "pipeline/locked_inputs.hpp"

#include <optional>
#include <set>
#include <string>

namespace kiln {

struct LockRequest {
    /// Only these packages may change (`--update`); empty: everything is resolved anew.
    std::set<std::string> update;
    std::optional<Lockfile> before; ///< the lock so far, for `update`
    fs::path keyring_dir = "/usr/share/keyrings";
};

/// Solves and pins. Needs the archives' mirrors; see solve() for what it throws.
[[nodiscard]] Lockfile
make_lock(const Recipe& recipe, const LockRequest& request, const InputContext& in);

/// recipes/pause.yaml -> recipes/pause.lock.
[[nodiscard]] fs::path lock_path(const fs::path& recipe);

} // namespace kiln
