// SPDX-License-Identifier: MIT
//
// What the dates of Release files give away: a mirror that shows an old state again, whose
// signature is still good, and an archive that nobody signs any more.
#pragma once

#include "lock/lockfile.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace kiln {

/// A line for each archive whose Release file is older than the one of the lock that is replaced;
/// by the epochs where the older lock has no dates.
[[nodiscard]] std::vector<std::string>
describe_steps_back(const Lockfile& before, const Lockfile& after);

/// A line for each archive that was last signed half a year before `now` (seconds since 1970) or
/// earlier.
[[nodiscard]] std::vector<std::string>
describe_old_releases(const std::vector<LockedRelease>& releases, std::int64_t now);

} // namespace kiln
