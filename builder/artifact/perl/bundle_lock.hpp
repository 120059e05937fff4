// SPDX-License-Identifier: MIT
//
// From a perl bundle's definition to its lock: the build root's packages by apt's solver, the
// tarballs by the archives' signed indices of source packages.
#pragma once

#include "inputs/input_context.hpp"
#include "lock/lockfile.hpp"
#include "recipe/artifacts/bundle.hpp"

namespace kiln {

/// The lock's epoch is the newest time of a file in perl's tarball. Needs the archives' mirrors;
/// see solve() for what it throws. `keyring_dir` has Debian's keys.
[[nodiscard]] Lockfile
lock_bundle(const PerlBundle& bundle, const InputContext& in, const fs::path& keyring_dir);

} // namespace kiln
