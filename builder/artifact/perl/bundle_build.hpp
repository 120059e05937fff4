// SPDX-License-Identifier: MIT
//
// Builds a perl bundle: the build root from its locked packages, perl in it, every distribution on
// nothing but perl and what it needs, each kept in the store under a separate key, and all of
// them put together under the prefix.
#pragma once

#include "artifact/artifact.hpp"
#include "inputs/input_context.hpp"
#include "lock/lockfile.hpp"
#include "recipe/artifacts/bundle.hpp"

namespace kiln {

/// The key under which the bundle's artifact is kept: a hash over kiln's output version, the build
/// root's key, the tarballs, the order of building and the prefix. Reads no tarball and no network.
/// Throws Error (exit code 3) when the lock does not fit the bundle.
[[nodiscard]] Digest bundle_key(const PerlBundle& bundle, const Lockfile& lock, const Pool& pool);

/// Builds what the store does not have. Needs enter_build_namespace() unless everything is there.
/// Throws Error that names the distribution and the phase that failed, the last lines of its log,
/// where the log is and what needs it.
[[nodiscard]] ArtifactInfo build_bundle(
    const PerlBundle& bundle,
    const Lockfile& lock,
    const InputContext& in,
    const Store& store,
    unsigned jobs);

} // namespace kiln
