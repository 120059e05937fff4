// SPDX-License-Identifier: MIT
//
// Installs a solved set of packages into a tree: files unpacked in process, preinst scripts run in
// the order that dpkg would honour, everything configured by the tree's own dpkg.
//
// What differs from dpkg: packages without a preinst are unpacked before those with one, and those
// that Essential needs have their preinst run after their files are in place (as debootstrap and
// mmdebstrap do, since a script needs a shell). docs/adr/0005-unpack-in-process.md has the reasons.
#pragma once

#include "stages/packages/package_file.hpp"
#include "stages/stage_context.hpp"

#include <vector>

namespace kiln {

/// Installs `packages`, given in the lock's order, and leaves a tree in which every package
/// is fully installed. Throws Error naming package, script, exit code and the last lines of output
/// when a script fails.
void install_packages(std::vector<PackageFile> packages, StageContext& context);

} // namespace kiln
