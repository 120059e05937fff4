// SPDX-License-Identifier: MIT
#include "publish/droplet/destroy_droplet.hpp"

#include "base/text.hpp"
#include "publish/droplet/create_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kiln {

namespace {

constexpr std::chrono::milliseconds kLookDelay{5000};
constexpr std::chrono::minutes kGoneWithin{10};

std::string describe_volume(const Volume& volume) {
    return printable(fmt::format(
        "volume '{}' ({} GB in {}, {})", volume.name, volume.gigabytes, volume.region, volume.id));
}

DestroyPlan plan_for(DigitalOceanApi& api, std::vector<Droplet> droplets, bool with_volumes) {
    DestroyPlan plan;
    std::vector<std::string> addresses;
    for (const Droplet& droplet : droplets) {
        // Not private ones: another network has the same.
        for (const std::string* each : {&droplet.public_address, &droplet.public_address6}) {
            if (!each->empty()) {
                addresses.push_back(*each);
            }
        }
        for (const std::string& id : droplet.volumes) {
            if (auto volume = find_volume(api, id)) {
                (with_volumes ? plan.deleted_volumes : plan.kept_volumes)
                    .push_back(std::move(*volume));
            }
        }
    }
    plan.records = records_of(api, addresses);
    plan.droplets = std::move(droplets);
    return plan;
}

void add_created_volumes(
    DigitalOceanApi& api, const CreateJournal& journal, bool with_volumes, DestroyPlan& plan) {
    for (const std::string& name : journal.volume_names) {
        auto volume = find_volume(api, name, journal.region);
        if (!volume || !volume->has_tag(journal.own_tag()) || !volume->droplets.empty()) {
            continue; // not of this create, or found with its droplet
        }
        // Without a droplet nobody can have written to it.
        const bool is_blank = plan.droplets.empty();
        (with_volumes || is_blank ? plan.deleted_volumes : plan.kept_volumes)
            .push_back(std::move(*volume));
    }
}

void wait_until_gone(DigitalOceanApi& api, std::uint64_t id) {
    const auto end = api.clock().now() + kGoneWithin;
    while (find_droplet(api, id)) {
        if (api.clock().now() >= end) {
            throw Error(
                fmt::format("droplet {} was deleted, but is still there", id),
                ExitCode::remote_refused)
                .with_hint("run the command again later");
        }
        api.clock().wait(kLookDelay);
    }
}

} // namespace

std::vector<std::string> DestroyPlan::lines() const {
    std::vector<std::string> out;
    for (const PlacedRecord& record : records) {
        out.push_back("delete record " + record.description());
    }
    for (const Droplet& droplet : droplets) {
        out.push_back("delete droplet " + describe(droplet));
    }
    for (const Volume& volume : deleted_volumes) {
        out.push_back("delete " + describe_volume(volume) + " with all its data");
    }
    for (const Volume& volume : kept_volumes) {
        out.push_back("keep " + describe_volume(volume));
    }
    return out;
}

DestroyPlan plan_destroy(DigitalOceanApi& api, std::uint64_t id, bool with_volumes) {
    auto droplet = find_droplet(api, id);
    if (!droplet) {
        throw UsageError(fmt::format("there is no droplet {}", id))
            .with_hint("'kiln droplet list --all' shows them");
    }
    return plan_for(api, {std::move(*droplet)}, with_volumes);
}

DestroyPlan plan_destroy(
    DigitalOceanApi& api,
    const std::string& name,
    const CreateJournal* journal,
    bool with_volumes) {
    std::vector<Droplet> found = droplets_named(api, name);
    const auto others = std::count_if(found.begin(), found.end(), [&](const Droplet& each) {
        return journal == nullptr || !each.has_tag(journal->own_tag());
    });
    if (others > 1 || (others == 1 && found.size() > 1)) {
        std::vector<std::string> all;
        for (const Droplet& each : found) {
            all.push_back(describe(each));
        }
        throw UsageError(fmt::format("there are {} droplets '{}'", found.size(), name))
            .with_details(std::move(all))
            .with_hint("name the droplet by its id");
    }
    if (found.empty() && journal == nullptr) {
        throw UsageError(fmt::format("there is no droplet '{}'", name))
            .with_hint("'kiln droplet list --all' shows them");
    }
    DestroyPlan plan = plan_for(api, std::move(found), with_volumes);
    if (journal != nullptr) {
        add_created_volumes(api, *journal, with_volumes, plan);
    }
    return plan;
}

void run_destroy(DigitalOceanApi& api, const DestroyPlan& plan, Console& console, AwaitGone await) {
    for (const PlacedRecord& record : plan.records) {
        delete_record(api, record);
        console.info("deleted record " + record.description());
    }
    for (const Droplet& droplet : plan.droplets) {
        delete_droplet(api, droplet.id);
        console.info(fmt::format("deleted droplet {}", droplet.id));
    }
    if (plan.deleted_volumes.empty()) {
        return;
    }
    for (const Droplet& droplet : plan.droplets) {
        if (await == AwaitGone::yes) {
            wait_until_gone(api, droplet.id);
        }
    }
    for (const Volume& volume : plan.deleted_volumes) {
        delete_volume(api, volume.id);
        console.info("deleted " + describe_volume(volume));
    }
}

} // namespace kiln
