// SPDX-License-Identifier: MIT
//
// What goes when a droplet goes: found first, shown, and removed by id, never by tag.
#pragma once

#include "base/console.hpp"
#include "publish/droplet/create_journal.hpp"
#include "publish/droplet/domains.hpp"
#include "publish/droplet/droplets.hpp"
#include "publish/droplet/volumes.hpp"

#include <optional>
#include <string>
#include <vector>

namespace kiln {

struct DestroyPlan {
    std::vector<Droplet> droplets;     ///< one; several when an unfinished create left them
    std::vector<PlacedRecord> records; ///< DNS records that hold one of their addresses
    std::vector<Volume> deleted_volumes;
    std::vector<Volume> kept_volumes;

    [[nodiscard]] bool is_empty() const { return droplets.empty() && deleted_volumes.empty(); }

    /// One line a thing: what is deleted, and what is kept.
    [[nodiscard]] std::vector<std::string> lines() const;
};

/// The droplet by id. Throws UsageError when there is none.
[[nodiscard]] DestroyPlan plan_destroy(DigitalOceanApi& api, std::uint64_t id, bool with_volumes);

/// By name, and with it what an unfinished create of that name (`journal`, may be null) left: its
/// droplets, and with `with_volumes`, or when no droplet came into being, the volumes that it
/// created. Throws UsageError when there is neither, or several droplets of the name.
[[nodiscard]] DestroyPlan plan_destroy(
    DigitalOceanApi& api, const std::string& name, const CreateJournal* journal, bool with_volumes);

enum class AwaitGone { no, yes };

/// Records first, so that no name leads to an address that is somebody else's soon; then the
/// droplets, and volumes once these are gone. May be planned and run again after any failure.
/// With AwaitGone::no volumes are deleted without waiting for that: in a dry run nothing goes.
void run_destroy(DigitalOceanApi& api, const DestroyPlan& plan, Console& console, AwaitGone await);

} // namespace kiln
