// SPDX-License-Identifier: MIT
//
// Names of container images as engines take them. Images say what they are called, and a name ends
// up on a command line.
#pragma once

#include <string_view>

namespace kiln {

/// Whether this is a reference in the grammar that Docker, Podman and registries share:
/// [HOST[:PORT]/]PATH[/PATH...][:TAG][@sha256:HEX]. It never begins with '-'.
[[nodiscard]] bool is_image_reference(std::string_view text);

/// Whether this is "sha256:HEX" or a bare image id of 12 to 64 hex digits.
[[nodiscard]] bool is_image_id(std::string_view text);

/// Throws Error "'...' is not a valid image reference" unless it is a reference or an id.
void require_image_reference(std::string_view text);

} // namespace kiln
