// SPDX-License-Identifier: MIT
//
// The sources of recipes and programs: pinned by a lock, fetched into the pool, found there.
#pragma once

#include "inputs/input_context.hpp"
#include "lock/lockfile.hpp"
#include "recipe/source_spec.hpp"
#include "stages/host_files.hpp"
#include "stages/stage.hpp"

#include <map>
#include <string>
#include <vector>

namespace kiln {

using SourceSpecs = std::map<std::string, SourceSpec>;

/// Pins sources that are not directories, sorted by kind and name: fetches git commits and
/// tarballs, and refuses those that a bake could not unpack. Directories are left out: like overlay
/// folders they are read where they are.
[[nodiscard]] std::vector<LockedSource>
lock_sources(const SourceSpecs& sources, const InputContext& in);
/// One git source.
[[nodiscard]] LockedSource
lock_git_source(const std::string& name, const GitSource& git, const InputContext& in);

/// What the lock has for a source that is not a directory: the commit or the tarball that the
/// source names. Null when it has another or none.
[[nodiscard]] const LockedSource*
find_locked_source(const Lockfile& lock, const SourceSpec& source);

/// A directory where it is, with the digest of its content as `host` read it.
[[nodiscard]] SourceInput directory_input(const SourceSpec& source, const HostFiles& host);
/// A git commit or a tarball where it is in the pool once it is fetched. Looks at nothing.
[[nodiscard]] SourceInput
locked_input(const SourceSpec& source, const LockedSource& locked, const Pool& pool);

/// Brings a git commit into the pool unless it is there and whole. Throws Error when its archive is
/// not the locked one; `refresh` is the command that makes a new lock, for the hint.
void fetch_git_source(
    const SourceSpec& source,
    const LockedSource& locked,
    const std::string& refresh,
    const InputContext& in);
/// What the pool has to fetch for a tarball.
[[nodiscard]] PoolInput tarball_input(const SourceSpec& source);

} // namespace kiln
