// SPDX-License-Identifier: MIT
//
// What the commands that write a lock have in common.
#pragma once

#include "base/io/file.hpp"
#include "cli/command.hpp"
#include "lock/lockfile.hpp"

namespace kiln {

/// Writes the lock to `path` and prints what changed since the one that was there.
void write_lock(const fs::path& path, const Lockfile& lock, Context& context);

} // namespace kiln
