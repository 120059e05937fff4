// SPDX-License-Identifier: MIT
#include "publish/droplet/create_plan.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace kiln {

namespace {

CloudImage usable(CloudImage image, const std::string& region) {
    if (!image.is_available()) {
        throw UsageError(
            fmt::format(
                "image {} is not available: its status is '{}'", image.id, excerpt(image.status)))
            .with_hint(image.has_failed() ? "publish it again" : "wait with 'kiln publish resume'");
    }
    if (!image.is_in(region)) {
        throw UsageError(fmt::format("image {} is not in region '{}'", image.id, region))
            .with_hint(fmt::format(
                "it is in {}; 'kiln publish digitalocean --region' takes several regions",
                printable(join(image.regions, ", "))));
    }
    return image;
}

/// Throws UsageError for every droplet of the name but the one that the journal's create made,
/// which it returns.
std::optional<Droplet>
find_begun(DigitalOceanApi& api, const std::string& name, const CreateJournal& journal) {
    std::optional<Droplet> begun;
    for (Droplet& each : droplets_named(api, name)) {
        if (journal.is_requested && each.has_tag(journal.own_tag())) {
            if (!begun || each.id == journal.droplet) {
                begun = std::move(each);
            }
            continue;
        }
        throw UsageError(fmt::format("a droplet of that name exists: {}", describe(each)))
            .with_hint(fmt::format(
                "choose another name, or remove it with 'kiln droplet destroy {}'", each.id));
    }
    return begun;
}

void require_same(
    const std::string& name, const char* what, const std::string& before, const std::string& now) {
    if (before != now) {
        throw UsageError(fmt::format(
                             "an unfinished create of '{}' asked for the {} '{}', not '{}'",
                             name,
                             what,
                             excerpt(before),
                             excerpt(now)))
            .with_hint(fmt::format(
                "repeat the command as it was, or undo it with 'kiln droplet destroy {}'", name));
    }
}

PlannedVolume plan_volume(
    DigitalOceanApi& api,
    const WantedVolume& wanted,
    const std::string& region,
    const std::optional<Droplet>& begun) {
    PlannedVolume out{wanted, find_volume(api, wanted.name, region)};
    if (!out.found) {
        if (wanted.gigabytes == 0) {
            throw UsageError(
                fmt::format("there is no volume '{}' in region '{}'", wanted.name, region))
                .with_hint(fmt::format("'--volume {}:50' creates one of 50 GB", wanted.name));
        }
        return out;
    }
    for (const std::uint64_t droplet : out.found->droplets) {
        if (!begun || droplet != begun->id) {
            throw UsageError(
                fmt::format("volume '{}' is attached to droplet {}", wanted.name, droplet))
                .with_hint("detach it first, or name another volume");
        }
    }
    if (wanted.gigabytes != 0 && wanted.gigabytes != out.found->gigabytes) {
        throw UsageError(fmt::format(
                             "volume '{}' exists and has {} GB, not {} GB",
                             wanted.name,
                             out.found->gigabytes,
                             wanted.gigabytes))
            .with_hint(fmt::format("'--volume {}' takes it as it is", wanted.name));
    }
    return out;
}

template <typename Items, typename Text>
std::string names_of(const Items& items, const Text& text) {
    std::vector<std::string> out;
    for (const auto& item : items) {
        out.push_back(printable(text(item)));
    }
    return join(out, ", ");
}

} // namespace

std::string describe(const Droplet& droplet) {
    const std::string& address =
        droplet.public_address.empty() ? droplet.private_address : droplet.public_address;
    return printable(fmt::format(
        "{} '{}' ({} in {}, {})",
        droplet.id,
        droplet.name,
        droplet.size,
        droplet.region,
        address.empty() ? "no address" : address));
}

void check_wish(const DropletWish& wish) {
    if (!is_droplet_name(wish.name)) {
        throw UsageError(fmt::format("'{}' is not a name for a droplet", excerpt(wish.name)))
            .with_hint("names have letters, digits, '.' and '-', such as pause.example.org");
    }
    if (wish.ssh_keys.empty()) {
        throw UsageError("--ssh-key is missing: nobody could log in to the droplet")
            .with_hint("name a key of the account by its name, id or fingerprint");
    }
    for (const std::string& tag : wish.tags) {
        if (!is_cloud_tag(tag)) {
            throw UsageError(fmt::format("'--tag {}' is not a tag", excerpt(tag)))
                .with_hint("tags have letters, digits, ':', '-' and '_'");
        }
    }
    if (wish.is_private && !wish.hosts.empty()) {
        throw UsageError("--private and --domain are mutually exclusive: "
                         "there is no public address to point to");
    }
    std::set<std::string> names;
    for (const WantedVolume& volume : wish.volumes) {
        if (!names.insert(volume.name).second) {
            throw UsageError(fmt::format("'--volume {}' is given twice", volume.name));
        }
    }
    if (wish.user_data.size() > kMostUserData) {
        throw UsageError(fmt::format(
            "the user-data has {} bytes; DigitalOcean takes at most {}",
            wish.user_data.size(),
            kMostUserData));
    }
}

CloudImage
find_droplet_image(DigitalOceanApi& api, const std::string& wanted, const std::string& region) {
    if (const auto id = parse_unsigned(wanted)) {
        auto image = find_image(api, *id);
        if (!image) {
            throw UsageError(fmt::format("there is no image {}", *id))
                .with_hint("'kiln image list' shows them");
        }
        return usable(std::move(*image), region);
    }
    std::optional<CloudImage> newest;
    std::optional<CloudImage> elsewhere;
    for (CloudImage& each : images_with_tag(api, "kiln")) {
        if (each.name != wanted || !each.is_available()) {
            continue;
        }
        auto& best = each.is_in(region) ? newest : elsewhere;
        if (!best || std::pair(best->created_at, best->id) < std::pair(each.created_at, each.id)) {
            best = std::move(each);
        }
    }
    if (newest) {
        return std::move(*newest);
    }
    if (elsewhere) {
        return usable(std::move(*elsewhere), region); // says where it is
    }
    throw UsageError(fmt::format("kiln has published no image '{}'", excerpt(wanted)))
        .with_hint("'kiln image list' shows the images; one that kiln did not publish is named by "
                   "its id");
}

CreatePlan
plan_create(DigitalOceanApi& api, const DropletWish& wish, const CreateJournal& journal) {
    check_wish(wish);
    CreatePlan plan;
    plan.begun = find_begun(api, wish.name, journal);
    require_regions(list_regions(api), {wish.region});
    plan.image = find_droplet_image(api, wish.image, wish.region);
    if (journal.is_requested) {
        require_same(wish.name, "region", journal.region, wish.region);
        require_same(wish.name, "size", journal.size, wish.size);
        require_same(
            wish.name, "image", std::to_string(journal.image), std::to_string(plan.image.id));
    }
    if (!plan.begun) {
        require_size(api, wish.size, wish.region, plan.image.min_disk_gigabytes);
    }
    plan.keys = find_ssh_keys(api, wish.ssh_keys);
    if (!wish.project.empty()) {
        plan.project = find_project(api, wish.project);
    }
    for (const std::string& host : wish.hosts) {
        plan.hosts.push_back(find_domain_host(api, host));
    }
    for (const WantedVolume& volume : wish.volumes) {
        plan.volumes.push_back(plan_volume(api, volume, wish.region, plan.begun));
    }
    plan.droplet = {
        .name = wish.name,
        .region = wish.region,
        .size = wish.size,
        .image = plan.image.id,
        .ssh_keys = {},
        .tags = {"kiln", journal.own_tag()},
        .volumes = {},
        .user_data = wish.user_data,
        .is_private = wish.is_private};
    for (const AccountKey& key : plan.keys) {
        plan.droplet.ssh_keys.push_back(key.id);
    }
    plan.droplet.tags.insert(plan.droplet.tags.end(), wish.tags.begin(), wish.tags.end());
    return plan;
}

std::vector<std::string> CreatePlan::lines() const {
    std::vector<std::string> out;
    for (const PlannedVolume& volume : volumes) {
        out.push_back(
            volume.found
                ? fmt::format(
                      "attach volume '{}' ({} GB)", volume.wanted.name, volume.found->gigabytes)
                : fmt::format(
                      "create and attach volume '{}' ({} GB)",
                      volume.wanted.name,
                      volume.wanted.gigabytes));
    }
    out.push_back(fmt::format(
        "{} droplet '{}': {} in {}, image {} '{}', SSH keys {}{}{}",
        begun ? "finish" : "create",
        droplet.name,
        droplet.size,
        droplet.region,
        image.id,
        printable(image.name),
        names_of(keys, [](const AccountKey& key) { return key.name; }),
        droplet.user_data.empty() ? "" : ", with user-data",
        droplet.is_private ? ", without a public address" : ""));
    if (project) {
        out.push_back(fmt::format("assign it to project '{}'", printable(project->name)));
    }
    for (const DomainHost& host : hosts) {
        out.push_back(fmt::format("point {} to its address", host.full_name()));
    }
    return out;
}

} // namespace kiln
