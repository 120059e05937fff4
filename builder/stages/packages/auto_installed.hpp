// SPDX-License-Identifier: MIT
//
// apt's list of packages that nobody asked for by name, so that `apt autoremove` can tell them from
// those that the recipe installs. Format: paragraphs with Package, Architecture, Auto-Installed
// (apt-pkg/depcache.cc); packages of architecture "all" have the system's own.
#pragma once

#include "stages/packages/package_file.hpp"
#include "tree/tree_root.hpp"

#include <string>
#include <vector>

namespace kiln {

/// Marks those of `packages` as automatic that `requested` does not name, Essential ones left out;
/// what it names is manual afterwards, as after `apt install`. Other marks stay.
void mark_auto_installed(
    const TreeRoot& tree,
    const std::vector<PackageFile>& packages,
    const std::vector<std::string>& requested,
    const std::string& architecture);

} // namespace kiln
