// SPDX-License-Identifier: MIT
#include "publish/droplet/droplets.hpp"

#include "base/json_object.hpp"
#include "base/text.hpp"
#include "publish/digitalocean/api_answer.hpp"
#include "publish/digitalocean/images.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

void read_addresses(const JsonObject& object, Droplet& out) {
    if (!object.has("networks")) {
        return;
    }
    const JsonObject networks = object.object("networks");
    for (const JsonObject& each : networks.objects_or_empty("v4")) {
        const std::string type = each.text_or_empty("type");
        std::string& address = type == "public" ? out.public_address : out.private_address;
        if (address.empty()) { // the first one; reserved ones come later
            address = each.text_or_empty("ip_address");
        }
    }
    for (const JsonObject& each : networks.objects_or_empty("v6")) {
        if (each.text_or_empty("type") == "public" && out.public_address6.empty()) {
            out.public_address6 = each.text_or_empty("ip_address");
        }
    }
}

Droplet droplet_of(const Json& json) {
    const JsonObject object(json, "a droplet");
    Droplet out;
    out.id = object.number("id");
    out.name = object.text("name");
    out.status = object.text("status");
    out.size = object.text_or_empty("size_slug");
    out.created_at = object.text_or_empty("created_at");
    out.tags = object.texts_or_empty("tags");
    out.volumes = object.texts_or_empty("volume_ids");
    if (object.has("region")) {
        out.region = object.object("region").text_or_empty("slug");
    }
    if (object.has("image")) {
        out.image = object.object("image").number_or("id", 0);
    }
    read_addresses(object, out);
    return out;
}

std::string droplet_path(std::uint64_t id) {
    return fmt::format("/v2/droplets/{}", id);
}

Json body_of(const NewDroplet& droplet) {
    Json body{
        {"name", droplet.name},
        {"region", droplet.region},
        {"size", droplet.size},
        {"image", droplet.image},
        {"ssh_keys", droplet.ssh_keys},
        {"tags", droplet.tags}};
    if (!droplet.volumes.empty()) {
        body["volumes"] = droplet.volumes;
    }
    if (!droplet.user_data.empty()) {
        body["user_data"] = droplet.user_data;
    }
    if (droplet.is_private) {
        body["public_networking"] = false;
    }
    return body;
}

} // namespace

bool Droplet::has_tag(std::string_view tag) const {
    return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

bool Droplet::has_volume(std::string_view volume) const {
    return std::find(volumes.begin(), volumes.end(), volume) != volumes.end();
}

bool is_droplet_name(std::string_view text) {
    constexpr std::size_t kLongest = 255;
    const auto is_plain = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 && static_cast<signed char>(c) > 0;
    };
    return !text.empty() && text.size() <= kLongest && is_plain(text.front()) &&
           is_plain(text.back()) && std::all_of(text.begin(), text.end(), [&](char c) {
               return is_plain(c) || c == '.' || c == '-';
           });
}

Droplet create_droplet(DigitalOceanApi& api, const NewDroplet& droplet) {
    const std::string what = fmt::format("create the droplet '{}'", printable(droplet.name));
    const Json answer = api.post("/v2/droplets", body_of(droplet), what);
    return read_answer(what, [&] { return droplet_of(answer_member(answer, "droplet", what)); });
}

std::optional<Droplet> find_droplet(DigitalOceanApi& api, std::uint64_t id) {
    const std::string what = fmt::format("read droplet {}", id);
    const auto answer = api.find(droplet_path(id), what);
    if (!answer) {
        return std::nullopt;
    }
    return read_answer(what, [&] { return droplet_of(answer_member(*answer, "droplet", what)); });
}

std::vector<Droplet> droplets_with_tag(DigitalOceanApi& api, const std::string& tag) {
    KILN_CHECK(is_cloud_tag(tag));
    const std::string what = fmt::format("list the droplets with the tag '{}'", tag);
    return read_answers(
        api.list("/v2/droplets?tag_name=" + tag, "droplets", what), what, droplet_of);
}

std::vector<Droplet> droplets_named(DigitalOceanApi& api, const std::string& name) {
    KILN_CHECK(is_droplet_name(name));
    const std::string what = fmt::format("list the droplets named '{}'", name);
    std::vector<Droplet> out =
        read_answers(api.list("/v2/droplets?name=" + name, "droplets", what), what, droplet_of);
    // The API compares without case.
    std::erase_if(out, [&](const Droplet& each) { return each.name != name; });
    return out;
}

std::vector<Droplet> all_droplets(DigitalOceanApi& api) {
    const std::string what = "list the droplets of this account";
    return read_answers(api.list("/v2/droplets", "droplets", what), what, droplet_of);
}

void delete_droplet(DigitalOceanApi& api, std::uint64_t id) {
    api.remove(droplet_path(id), fmt::format("delete droplet {}", id));
}

bool has_create_failed(DigitalOceanApi& api, std::uint64_t id) {
    const std::string what = fmt::format("list the actions of droplet {}", id);
    for (const Json& item : api.list(droplet_path(id) + "/actions", "actions", what)) {
        const bool has_failed = read_answer(what, [&] {
            const JsonObject action(item, "an action");
            return action.text_or_empty("type") == "create" && action.text("status") == "errored";
        });
        if (has_failed) {
            return true;
        }
    }
    return false;
}

} // namespace kiln
