// SPDX-License-Identifier: MIT
//
// The shared libraries that an artifact's programs load: what an image must have for it.
#pragma once

#include "artifact/artifact.hpp"
#include "sandbox/make_sandbox.hpp"

#include <filesystem>
#include <vector>

namespace kiln {

/// Reads the dynamic sections of all ELF files of `tree`, whose files lie in `folder`, with the
/// tools of the mounted build root `root`. Libraries that the artifact brings itself are left out.
/// Throws Error for one that no package of the root has.
[[nodiscard]] std::vector<ArtifactLibrary> find_libraries(
    const FileTree& tree,
    const std::filesystem::path& folder,
    const std::filesystem::path& root,
    const MakeSandbox& make_sandbox);

} // namespace kiln
