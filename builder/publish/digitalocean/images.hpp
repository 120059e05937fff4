// SPDX-License-Identifier: MIT
//
// Images and regions of DigitalOcean as values, and the calls about them. What to do with them is
// publish_image.hpp's.
#pragma once

#include "publish/digitalocean/api.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// Schema `image` of the specification.
struct CloudImage {
    std::uint64_t id = 0;
    std::string name;
    std::string type; ///< "custom" for what was imported
    std::string distribution;
    std::string status;        ///< in lower case: the API writes both "NEW" and "available"
    std::string error_message; ///< without the spaces that stand for "none"
    std::string created_at;    ///< RFC 3339
    std::vector<std::string> regions;
    std::vector<std::string> tags;
    std::uint64_t min_disk_gigabytes = 0; ///< of a droplet
    double gigabytes = 0;

    [[nodiscard]] bool has_failed() const;

    [[nodiscard]] bool is_available() const { return status == "available" && !has_failed(); }

    [[nodiscard]] bool is_in(std::string_view region) const;
    [[nodiscard]] bool has_tag(std::string_view tag) const;
};

/// Body of POST /v2/images.
struct NewCloudImage {
    std::string name;
    std::string url;
    std::string region;
    std::string distribution;
    std::string description;
    std::vector<std::string> tags;
};

/// Schema `action`, of an image.
struct ImageAction {
    std::uint64_t id = 0;
    std::string type;   ///< "transfer"
    std::string status; ///< "in-progress", "completed", "errored"
    std::string region;
};

/// Schema `region`.
struct CloudRegion {
    std::string slug;
    std::string name;
    bool is_available = false;
    bool takes_transfers = false; ///< has the feature "image_transfer"
};

/// Names that the API knows for a system: the ID of os-release(5) to a value of `distribution`;
/// "Unknown" for others.
[[nodiscard]] std::string distribution_of(std::string_view os_release_id);

/// Letters, digits, ':', '-' and '_', at most 255 of them.
[[nodiscard]] bool is_cloud_tag(std::string_view text);

/// All throw what DigitalOceanApi throws.
[[nodiscard]] CloudImage create_image(DigitalOceanApi& api, const NewCloudImage& image);
[[nodiscard]] std::optional<CloudImage> find_image(DigitalOceanApi& api, std::uint64_t id);
/// `tag` must be one, see is_cloud_tag().
[[nodiscard]] std::vector<CloudImage> images_with_tag(DigitalOceanApi& api, const std::string& tag);
/// Those of the account, snapshots and backups included.
[[nodiscard]] std::vector<CloudImage> private_images(DigitalOceanApi& api);
/// An image that is deleted already is fine.
void delete_image(DigitalOceanApi& api, std::uint64_t id);
/// Copies the image to a further region.
[[nodiscard]] ImageAction
start_transfer(DigitalOceanApi& api, std::uint64_t image, const std::string& region);
[[nodiscard]] std::optional<ImageAction>
find_image_action(DigitalOceanApi& api, std::uint64_t image, std::uint64_t action);
[[nodiscard]] std::vector<ImageAction> image_actions(DigitalOceanApi& api, std::uint64_t image);
[[nodiscard]] std::vector<CloudRegion> list_regions(DigitalOceanApi& api);

/// Throws UsageError, with the regions that there are, unless an image can be made in the first one
/// and transferred to the others.
void require_regions(const std::vector<CloudRegion>& known, const std::vector<std::string>& wanted);

} // namespace kiln
