// SPDX-License-Identifier: MIT
//
// Which distributions of a bundle need which others, and the order in which they can be built.
#pragma once

#include "perl/distribution.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace kiln {

/// One distribution of a bundle as a question to resolve_prerequisites().
struct BundleMember {
    std::string name; ///< in the bundle; messages use it
    Distribution distribution;
    /// Names of members that it needs whatever its metadata says.
    std::vector<std::string> also_needs;
};

/// A module that the bundle itself must have.
struct WantedModule {
    ModuleNeed need;
    std::string by; ///< who says so, for messages: "cpanfile"
};

struct BuildOrder {
    std::vector<std::size_t> order; ///< every member after all that it needs
    /// For each member (not in build order) those that it needs itself, ascending.
    std::vector<std::vector<std::size_t>> needs;
    std::vector<std::string> faults;  ///< all of them; when there is any, the rest means nothing
    std::vector<std::string> missing; ///< modules that nobody provides, each once
};

/// `wanted` is what the bundle must have besides. `core` is what perl
/// `perl_version` brings. Of members that provide a module, the one whose name
/// is the module's is preferred to others, and any member to core. Faults: a module that nobody
/// provides, or not in a version that will do; members that need each other in a circle.
/// REPRO: members that could come next are taken by name.
[[nodiscard]] BuildOrder resolve_prerequisites(
    const std::vector<BundleMember>& members,
    const PerlModules& core,
    const std::string& perl_version,
    const std::vector<WantedModule>& wanted = {});

} // namespace kiln
