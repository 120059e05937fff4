// SPDX-License-Identifier: MIT
//
// What the commands that publish take as IMAGE.
#pragma once

#include "base/image_format.hpp"
#include "base/io/file.hpp"
#include "cli/command.hpp"

#include <optional>
#include <string>

namespace kiln {

inline constexpr PositionalSpec kResultsPositional{
    .name = "IMAGE",
    .doc = "name of a recipe (uses its baked images), a folder of results, an OCI layout "
           "directory, a docker archive or a disk",
    .completes = Completes::file};

struct ImageResult {
    fs::path path;
    ImageFormat format = ImageFormat::oci;
};

/// What IMAGE stands for: either may be missing, not both.
struct ImageResults {
    std::string shown; ///< IMAGE as it was given
    std::optional<ImageResult> container;
    std::optional<ImageResult> disk;
};

/// `wanted` is what --format says; of a folder then only that is taken. `folder` has the results of
/// recipes that are given by name (Project::results). Throws UsageError when there is no such
/// image.
[[nodiscard]] ImageResults find_results(
    const std::string& argument, std::optional<ImageFormat> wanted, const fs::path& folder);

} // namespace kiln
