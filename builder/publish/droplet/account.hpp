// SPDX-License-Identifier: MIT
//
// What a droplet is made with: SSH keys, sizes and projects of an account, found by the names that
// people know them by.
#pragma once

#include "publish/digitalocean/api.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace kiln {

/// Schema `sshKeys`.
struct AccountKey {
    std::uint64_t id = 0;
    std::string name;
    std::string fingerprint; ///< MD5, "3b:16:bf:..."
};

/// Schema `size`.
struct DropletSize {
    std::string slug;
    std::uint64_t disk_gigabytes = 0;
    bool is_available = false;
    std::vector<std::string> regions; ///< where it is available now
};

/// Schema `project`.
struct CloudProject {
    std::string id; ///< a UUID
    std::string name;
};

/// The keys that `wanted` names by id, name or fingerprint (MD5, with or without "MD5:"), in that
/// order, each once. Throws UsageError that names all that are not there, or that a name stands for
/// several keys.
[[nodiscard]] std::vector<AccountKey>
find_ssh_keys(DigitalOceanApi& api, const std::vector<std::string>& wanted);

/// Throws UsageError unless the size can be had in that region and has room for the image.
void require_size(
    DigitalOceanApi& api,
    const std::string& size,
    const std::string& region,
    std::uint64_t min_disk_gigabytes);

/// By id or name. Throws UsageError when there is none, or several of that name.
[[nodiscard]] CloudProject find_project(DigitalOceanApi& api, const std::string& wanted);

/// Resources are "do:droplet:ID" and "do:volume:ID". Assigning twice is assigning once.
void assign_to_project(
    DigitalOceanApi& api, const std::string& project, const std::vector<std::string>& resources);

} // namespace kiln
