// SPDX-License-Identifier: MIT
//
// What `kiln droplet create` is asked for, and what follows from it in an account: everything that
// can be found out before anything is created, as data.
#pragma once

#include "publish/digitalocean/images.hpp"
#include "publish/droplet/account.hpp"
#include "publish/droplet/create_journal.hpp"
#include "publish/droplet/domains.hpp"
#include "publish/droplet/droplets.hpp"
#include "publish/droplet/volumes.hpp"

#include <optional>
#include <string>
#include <vector>

namespace kiln {

/// In the user's words.
struct DropletWish {
    std::string name;
    std::string image; ///< id, or the name of an image that kiln published
    std::string region;
    std::string size;
    std::vector<std::string> ssh_keys; ///< ids, names, fingerprints
    std::vector<std::string> tags;
    std::string project; ///< id or name; may be empty
    std::vector<std::string> hosts;
    std::vector<WantedVolume> volumes;
    std::string user_data; ///< may hold secrets
    bool is_private = false;
};

struct PlannedVolume {
    WantedVolume wanted;
    std::optional<Volume> found; ///< else it is created
};

struct CreatePlan {
    NewDroplet droplet; ///< without the ids of volumes
    CloudImage image;
    std::vector<AccountKey> keys;
    std::vector<PlannedVolume> volumes;
    std::optional<CloudProject> project;
    std::vector<DomainHost> hosts;
    /// Made by the create that the journal is of, and to be finished.
    std::optional<Droplet> begun;

    /// One line a thing that is made or changed; shows no user-data.
    [[nodiscard]] std::vector<std::string> lines() const;
};

/// The rules that need no account. Throws UsageError.
void check_wish(const DropletWish& wish);

/// Looks everything up. Throws UsageError for what is not there or cannot be had, when a droplet of
/// that name exists that `journal` did not make, and when the journal is of a create that asked for
/// something else.
[[nodiscard]] CreatePlan
plan_create(DigitalOceanApi& api, const DropletWish& wish, const CreateJournal& journal);

/// By id, or the newest available one that kiln published under that name and that is in the
/// region. Throws UsageError.
[[nodiscard]] CloudImage
find_droplet_image(DigitalOceanApi& api, const std::string& wanted, const std::string& region);

/// "12345 'pause' (s-1vcpu-1gb in nyc3, 192.0.2.1)"
[[nodiscard]] std::string describe(const Droplet& droplet);

} // namespace kiln
