// SPDX-License-Identifier: MIT
#include "publish/droplet/account.hpp"

#include "base/json_object.hpp"
#include "base/text.hpp"
#include "publish/digitalocean/api_answer.hpp"
#include "publish/droplet/patience.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

AccountKey key_of(const Json& json) {
    const JsonObject object(json, "an SSH key");
    return {object.number("id"), object.text("name"), object.text_or_empty("fingerprint")};
}

DropletSize size_of(const Json& json) {
    const JsonObject object(json, "a size");
    return {
        object.text("slug"),
        object.number_or("disk", 0),
        object.flag("available"),
        object.texts_or_empty("regions")};
}

CloudProject project_of(const Json& json) {
    const JsonObject object(json, "a project");
    return {object.text("id"), object.text("name")};
}

bool is_named_by(const AccountKey& key, const std::string& word) {
    constexpr std::string_view kMd5 = "MD5:";
    const std::string_view text = word;
    return word == std::to_string(key.id) || word == key.name ||
           (!key.fingerprint.empty() &&
            (text.starts_with(kMd5) ? text.substr(kMd5.size()) : text) == key.fingerprint);
}

std::string known_names(const std::vector<AccountKey>& keys) {
    if (keys.empty()) {
        return "the account has no SSH keys; add one in the control panel under Settings, Security";
    }
    constexpr std::size_t kMost = 20;
    std::vector<std::string> names;
    for (const AccountKey& key : keys) {
        if (names.size() == kMost) {
            names.emplace_back("...");
            break;
        }
        names.push_back(printable(key.name));
    }
    return "SSH keys of the account: " + join(names, ", ");
}

} // namespace

std::vector<AccountKey>
find_ssh_keys(DigitalOceanApi& api, const std::vector<std::string>& wanted) {
    // One list for all of them: the API allows ten of these requests a minute.
    const std::string what = "list the SSH keys of this account";
    const std::vector<AccountKey> known =
        read_answers(api.list("/v2/account/keys", "ssh_keys", what), what, key_of);
    std::vector<AccountKey> out;
    std::vector<std::string> missing;
    for (const std::string& word : wanted) {
        std::vector<AccountKey> found;
        std::copy_if(known.begin(), known.end(), std::back_inserter(found), [&](const auto& key) {
            return is_named_by(key, word);
        });
        if (found.empty()) {
            missing.push_back(fmt::format("'{}'", excerpt(word)));
        } else if (found.size() > 1) {
            throw UsageError(
                fmt::format("the account has {} SSH keys '{}'", found.size(), excerpt(word)))
                .with_hint("name the key by its fingerprint or id");
        } else if (std::none_of(out.begin(), out.end(), [&](const AccountKey& each) {
                       return each.id == found.front().id;
                   })) {
            out.push_back(std::move(found.front()));
        }
    }
    if (!missing.empty()) {
        throw UsageError(fmt::format("the account has no SSH key {}", join(missing, ", ")))
            .with_hint(known_names(known));
    }
    return out;
}

void require_size(
    DigitalOceanApi& api,
    const std::string& size,
    const std::string& region,
    std::uint64_t min_disk_gigabytes) {
    const std::string what = "list the sizes of droplets";
    const std::vector<DropletSize> known =
        read_answers(api.list("/v2/sizes", "sizes", what), what, size_of);
    const auto found = std::find_if(
        known.begin(), known.end(), [&](const DropletSize& each) { return each.slug == size; });
    if (found == known.end()) {
        std::vector<std::string_view> slugs;
        for (const DropletSize& each : known) {
            slugs.emplace_back(each.slug);
        }
        const std::string guess = did_you_mean(size, slugs);
        throw UsageError(fmt::format("DigitalOcean has no droplet size '{}'", excerpt(size)))
            .with_hint(guess.empty() ? "sizes look like s-1vcpu-2gb" : guess);
    }
    const std::vector<std::string>& regions = found->regions;
    if (!found->is_available ||
        std::find(regions.begin(), regions.end(), region) == regions.end()) {
        throw UsageError(fmt::format("size '{}' is not available in region '{}'", size, region))
            .with_hint("regions with this size: " + printable(join(regions, ", ")));
    }
    if (found->disk_gigabytes < min_disk_gigabytes) {
        throw UsageError(fmt::format(
            "size '{}' has a disk of {} GB; the image needs {} GB",
            size,
            found->disk_gigabytes,
            min_disk_gigabytes));
    }
}

CloudProject find_project(DigitalOceanApi& api, const std::string& wanted) {
    const std::string what = "list the projects of this account";
    const std::vector<CloudProject> known =
        read_answers(api.list("/v2/projects", "projects", what), what, project_of);
    std::vector<CloudProject> found;
    std::copy_if(
        known.begin(), known.end(), std::back_inserter(found), [&](const CloudProject& each) {
            return each.id == wanted || each.name == wanted;
        });
    if (found.size() > 1) {
        throw UsageError(
            fmt::format("the account has {} projects '{}'", found.size(), excerpt(wanted)))
            .with_hint("name the project by its id");
    }
    if (found.empty()) {
        std::vector<std::string> names;
        for (const CloudProject& each : known) {
            names.push_back(printable(each.name));
        }
        throw UsageError(fmt::format("the account has no project '{}'", excerpt(wanted)))
            .with_hint("projects: " + join(names, ", "));
    }
    return std::move(found.front());
}

void assign_to_project(
    DigitalOceanApi& api, const std::string& project, const std::vector<std::string>& resources) {
    const std::string what = fmt::format("assign {} to a project", join(resources, ", "));
    post_again(api, "/v2/projects/" + project + "/resources", {{"resources", resources}}, what);
}

} // namespace kiln
