// SPDX-License-Identifier: MIT
//
// What the commands that take an IMAGE have in common.
#pragma once

#include "cli/command.hpp"

#include <array>
#include <string_view>

namespace kiln {

inline constexpr auto kImageFormats =
    std::to_array<std::string_view>({"qcow2", "raw", "oci", "docker"});

inline constexpr OptionSpec kImageFormatOption{
    .name = "--format",
    .value = "FORMAT",
    .doc = "what IMAGE is, instead of what its first bytes say",
    .choices = kImageFormats};

/// `count` is optional where another option does without an image.
[[nodiscard]] constexpr PositionalSpec image_positional(Count count = Count::one) {
    return {
        .name = "IMAGE",
        .doc = "a qcow2 or raw disk, an OCI layout directory or a docker archive",
        .count = count,
        .completes = Completes::file};
}

} // namespace kiln
