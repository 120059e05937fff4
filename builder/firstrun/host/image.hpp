// SPDX-License-Identifier: MIT
//
// Which image this is, and which one last adopted the data volume.
#pragma once

#include "firstrun/host/host.hpp"

#include <optional>
#include <string>

namespace kiln::firstrun {

struct Image {
    std::string name = "pause";
    std::string id = "unknown";
    std::string schema; ///< level of the database schema that the image's PAUSE expects
    bool standin = false;

    bool operator==(const Image&) const = default;
};

/// The running image. One without the baked file is called "unknown".
[[nodiscard]] Image read_image(const Host& host);
/// The one that last finished on this volume.
[[nodiscard]] std::optional<Image> read_volume_image(const Host& host);
[[nodiscard]] std::string render_image(const Image& image);

} // namespace kiln::firstrun
