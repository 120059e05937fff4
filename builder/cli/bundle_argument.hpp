// SPDX-License-Identifier: MIT
//
// What the commands that take a BUNDLE have in common.
#pragma once

#include "cli/command.hpp"
#include "formats/lockfile.hpp"
#include "recipe/bundle.hpp"

namespace kiln {

inline constexpr PositionalSpec kBundlePositional{
    .name = "BUNDLE",
    .doc = "a bundle's file, or the name of one in perl-bundle/",
    .completes = Completes::file};

struct BundleArgument {
    fs::path path;
    PerlBundle bundle;

    /// The lock beside it. Throws Error (exit code 3) when there is none.
    [[nodiscard]] Lockfile lock() const;
};

/// Loads the bundle that BUNDLE says. Faults are reported, all of them, and end in an Error with
/// exit code 3.
[[nodiscard]] BundleArgument load_bundle_argument(const Arguments& arguments, Context& context);

} // namespace kiln
