// SPDX-License-Identifier: MIT
//
// Block storage volumes of DigitalOcean: found by name, created blank, attached and deleted.
#pragma once

#include "publish/digitalocean/api.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// Schema `volume_full`.
struct Volume {
    std::string id; ///< a UUID
    std::string name;
    std::string region;
    std::uint64_t gigabytes = 0;
    std::vector<std::uint64_t> droplets; ///< at most one
    std::vector<std::string> tags;

    [[nodiscard]] bool has_tag(std::string_view tag) const;
};

/// What --volume asks for.
struct WantedVolume {
    std::string name;
    std::uint64_t gigabytes = 0; ///< of a new one; 0: it must be there
    bool operator==(const WantedVolume&) const = default;
};

/// "NAME" or "NAME:SIZE", with SIZE in GB from 1 to 16384 ("50", "50GB"). Throws UsageError.
[[nodiscard]] WantedVolume parse_wanted_volume(const std::string& text);

/// Names are unique within a region.
[[nodiscard]] std::optional<Volume>
find_volume(DigitalOceanApi& api, const std::string& name, const std::string& region);
[[nodiscard]] std::optional<Volume> find_volume(DigitalOceanApi& api, const std::string& id);

/// Makes a blank volume, which first-run formats; adopts it when the answer was lost.
[[nodiscard]] Volume create_volume(
    DigitalOceanApi& api,
    const WantedVolume& volume,
    const std::string& region,
    const std::vector<std::string>& tags);

/// Returns once the API has taken the request; attaching to the same droplet again is fine.
void attach_volume(DigitalOceanApi& api, const Volume& volume, std::uint64_t droplet);

/// One that is gone already is fine. Tried again while it is still attached.
void delete_volume(DigitalOceanApi& api, const std::string& id);

} // namespace kiln
