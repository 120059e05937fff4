// SPDX-License-Identifier: MIT
//
// Droplets of DigitalOcean as values, and the calls about them. What to do with them is
// create_droplet.hpp's and destroy_droplet.hpp's.
#pragma once

#include "publish/digitalocean/api.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// Schema `droplet` of the specification.
struct Droplet {
    std::uint64_t id = 0;
    std::string name;
    std::string status; ///< "new", "active", "off", "archive"
    std::string region;
    std::string size;
    std::uint64_t image = 0;
    std::string created_at;      ///< RFC 3339
    std::string public_address;  ///< IPv4, empty while it has none
    std::string private_address; ///< IPv4, empty while it has none
    std::string public_address6; ///< IPv6, empty without one
    std::vector<std::string> tags;
    std::vector<std::string> volumes; ///< ids

    [[nodiscard]] bool has_tag(std::string_view tag) const;
    [[nodiscard]] bool has_volume(std::string_view volume) const;

    /// Runs, and has an address of that kind.
    [[nodiscard]] bool is_reachable(bool is_private) const {
        return status == "active" && !(is_private ? private_address : public_address).empty();
    }
};

/// Body of POST /v2/droplets. No IPv6 and no agent: neither works for custom images.
struct NewDroplet {
    std::string name;
    std::string region;
    std::string size;
    std::uint64_t image = 0;             ///< custom images have no slug
    std::vector<std::uint64_t> ssh_keys; ///< ids
    std::vector<std::string> tags;
    std::vector<std::string> volumes; ///< ids
    std::string user_data;            ///< may hold secrets; at most kMostUserData
    bool is_private = false;          ///< never has a public address
};

/// Bytes of user_data: "may not exceed 64 KiB".
inline constexpr std::size_t kMostUserData = std::size_t{64} << 10U;

/// Letters, digits, '.' and '-', beginning and ending with a letter or digit, at most 255 of them.
[[nodiscard]] bool is_droplet_name(std::string_view text);

/// All throw what DigitalOceanApi throws.
[[nodiscard]] Droplet create_droplet(DigitalOceanApi& api, const NewDroplet& droplet);
[[nodiscard]] std::optional<Droplet> find_droplet(DigitalOceanApi& api, std::uint64_t id);
/// `tag` must be one, see is_cloud_tag().
[[nodiscard]] std::vector<Droplet> droplets_with_tag(DigitalOceanApi& api, const std::string& tag);
/// Those of exactly that name, of which there can be several. It must be one, see
/// is_droplet_name().
[[nodiscard]] std::vector<Droplet> droplets_named(DigitalOceanApi& api, const std::string& name);
[[nodiscard]] std::vector<Droplet> all_droplets(DigitalOceanApi& api);
/// One that is gone already is fine. Its volumes stay.
void delete_droplet(DigitalOceanApi& api, std::uint64_t id);
/// The last "create" of the droplet's actions has the status "errored".
[[nodiscard]] bool has_create_failed(DigitalOceanApi& api, std::uint64_t id);

} // namespace kiln
