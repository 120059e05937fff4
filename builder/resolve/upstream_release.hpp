// SPDX-License-Identifier: MIT
//
// Upstream releases by way of Debian: the archive keeps the tarballs of its source packages, signs
// for them, and its mirrors have them.
#pragma once

#include "lock/lockfile.hpp"
#include "resolve/apt_index.hpp"
#include "resolve/solve_request.hpp"

#include <vector>

namespace kiln {

/// Kind of a LockedSource that is a binary package: what Debian built takes the tarball's place.
inline constexpr const char* kPackageSource = "package";
/// Kind of a LockedSource that is a release on CPAN.
inline constexpr const char* kCpanSource = "cpan";
/// Kind of the LockedSource that is perl itself.
inline constexpr const char* kPerlSource = "perl";

/// An index and the archives that it counts.
struct IndexedArchives {
    const AptIndex& index;
    const std::vector<SolveArchive>& archives;
};

/// The tarballs NAME_VERSION.orig.tar.* (dpkg-source(1), format 1.0 and 3.0) of a source package
/// whose version fits: those of the preferred archive first, there the newest.
/// Last comes, unless perl itself is wanted, a binary package for all architectures that `packages`
/// has of it: not every mirror keeps sources. Throws Error when there is no tarball at all: unknown
/// names come with a suggestion, versions that do not fit with those that there are.
[[nodiscard]] std::vector<LockedSource> find_releases(
    const SolveSource& wanted, const IndexedArchives& sources, const IndexedArchives& packages);

} // namespace kiln
