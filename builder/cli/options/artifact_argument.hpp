// SPDX-License-Identifier: MIT
//
// What the commands that take an ARTIFACT have in common.
#pragma once

#include "artifact/lookup/artifact_definition.hpp"
#include "cli/command.hpp"
#include "lock/lockfile.hpp"

namespace kiln {

inline constexpr PositionalSpec kArtifactPositional{
    .name = "ARTIFACT",
    .doc = "definition file of a perl bundle or program, or the name of one in the project",
    .completes = Completes::file};

struct ArtifactArgument {
    fs::path path;
    std::unique_ptr<ArtifactDefinition> definition;

    /// The lock beside it, see ArtifactDefinition::load_lock().
    [[nodiscard]] Lockfile lock() const;
};

/// Loads the definition that ARTIFACT says. Faults are reported, all of them, and end in an Error
/// with exit code 3.
[[nodiscard]] ArtifactArgument load_artifact_argument(const Arguments& arguments, Context& context);

} // namespace kiln
