// SPDX-License-Identifier: MIT
//
// Which images of a recipe are made, and in which formats.
#pragma once

#include "base/image_format.hpp"
#include "recipe/recipe.hpp"

#include <vector>

namespace kiln {

/// One image definition with the formats of it that are wanted.
struct WantedImage {
    const ImageSpec* spec = nullptr;
    std::vector<ImageFormat> formats;
};

struct WantedImages {
    std::vector<WantedImage> disks;
    std::vector<WantedImage> containers;
};

/// `formats` as --image has them; empty: what the definitions say. Throws UsageError for a format
/// of which the recipe has no definition, Error (exit code 3) when it has none at all. `recipe`
/// must outlive the result.
[[nodiscard]] WantedImages
wanted_images(const Recipe& recipe, const std::vector<ImageFormat>& formats);

} // namespace kiln
