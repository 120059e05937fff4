// SPDX-License-Identifier: MIT
//
// What the commands that take an IMAGE have in common.
#pragma once

#include "base/image_format.hpp"
#include "cli/command.hpp"

#include <optional>

namespace kiln {

inline constexpr OptionSpec kImageFormatOption{
    .name = "--format",
    .value = "FORMAT",
    .doc = "format of IMAGE (default: detected from its content)",
    .choices = kImageFormatNames};

/// What --format says; nothing when it was not given.
[[nodiscard]] inline std::optional<ImageFormat> format_argument(const Arguments& arguments) {
    const auto name = arguments.value(kImageFormatOption.name);
    return name ? find_image_format(*name) : std::nullopt;
}

/// `count` is optional where another option does without an image.
[[nodiscard]] constexpr PositionalSpec image_positional(Count count = Count::one) {
    return {
        .name = "IMAGE",
        .doc = "a qcow2 or raw disk, an OCI layout directory or a docker archive",
        .count = count,
        .completes = Completes::file};
}

} // namespace kiln
