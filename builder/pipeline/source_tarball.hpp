// SPDX-License-Identifier: MIT
//
// Upstream tarballs by way of Debian's source packages: the archive keeps them, signs for them, and
// every mirror has them.
#pragma once

#include "formats/lockfile.hpp"
#include "pipeline/apt_index.hpp"
#include "pipeline/solve.hpp"

#include <vector>

namespace kiln {

/// The tarball NAME_VERSION.orig.tar.* (dpkg-source(1), format 1.0 and 3.0) of a source package, of
/// the first archive with a version that fits, and there of the newest. `archives` are what
/// `index` counts. Throws Error when there is none: unknown names come with a suggestion, versions
/// that do not fit with those that there are.
[[nodiscard]] LockedSource find_tarball(
    const AptIndex& index, const SolveSource& wanted, const std::vector<SolveArchive>& archives);

} // namespace kiln
