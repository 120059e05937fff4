// SPDX-License-Identifier: MIT
//
// The tarballs of a perl bundle: where they are available, and bringing them into the pool.
#pragma once

#include "inputs/input_context.hpp"
#include "lock/lockfile.hpp"
#include "recipe/artifacts/bundle.hpp"

#include <string>
#include <vector>

namespace kiln {

/// What the pool has to know of a bundle's source. `snapshot` is the lock's. All must outlive it.
[[nodiscard]] PoolInput bundle_input(
    const PerlBundle& bundle,
    const LockedSource& source,
    const std::string& snapshot,
    const InputContext& in);

/// Brings the first of each list that is available into the pool and returns it; says aloud where
/// that was not the preferred one. Throws Error that names all of which none is available.
[[nodiscard]] std::vector<LockedSource> fetch_first_of_each(
    const PerlBundle& bundle,
    const std::vector<std::vector<LockedSource>>& releases,
    const std::string& snapshot,
    const InputContext& in);

/// What a lock calls a distribution: its source package, or the file's name on CPAN.
[[nodiscard]] std::string locked_name(const DistributionSpec& spec);

/// What makes a bundle's lock again, for hints.
[[nodiscard]] std::string refresh_bundle(const PerlBundle& bundle);

} // namespace kiln
