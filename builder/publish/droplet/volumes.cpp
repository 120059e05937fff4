// SPDX-License-Identifier: MIT
#include "publish/droplet/volumes.hpp"

#include "base/json_object.hpp"
#include "base/text.hpp"
#include "publish/digitalocean/api_answer.hpp"
#include "publish/droplet/patience.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

Volume volume_of(const Json& json) {
    const JsonObject object(json, "a volume");
    Volume out;
    out.id = object.text("id");
    out.name = object.text("name");
    out.gigabytes = object.number_or("size_gigabytes", 0);
    out.tags = object.texts_or_empty("tags");
    if (object.has("region")) {
        out.region = object.object("region").text_or_empty("slug");
    }
    if (const auto droplets = json.find("droplet_ids");
        droplets != json.end() && droplets->is_array()) {
        for (const Json& each : *droplets) {
            if (!each.is_number_unsigned()) {
                throw Error("'droplet_ids' of a volume must be a list of numbers");
            }
            out.droplets.push_back(each.get<std::uint64_t>());
        }
    }
    const bool is_plain = std::all_of(out.id.begin(), out.id.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-';
    });
    if (out.id.empty() || !is_plain) { // it becomes part of URLs
        throw Error("'id' of a volume must be a UUID");
    }
    return out;
}

std::string volume_path(const std::string& id) {
    return "/v2/volumes/" + id;
}

bool is_volume_name(std::string_view text) {
    constexpr std::size_t kLongest = 64;
    const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return !text.empty() && text.size() <= kLongest && text.front() >= 'a' && text.front() <= 'z' &&
           is_plain(text.back()) &&
           std::all_of(text.begin(), text.end(), [&](char c) { return is_plain(c) || c == '-'; });
}

} // namespace

bool Volume::has_tag(std::string_view tag) const {
    return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

WantedVolume parse_wanted_volume(const std::string& text) {
    constexpr std::uint64_t kLargest = 16'384;
    WantedVolume out;
    const std::size_t colon = text.find(':');
    out.name = text.substr(0, colon);
    if (!is_volume_name(out.name)) {
        throw UsageError(
            fmt::format("'{}' is not the name of a volume (--volume)", excerpt(out.name)))
            .with_hint("names have at most 64 lower-case letters, digits and '-', a letter first");
    }
    if (colon != std::string::npos) {
        std::string size = text.substr(colon + 1);
        if (size.ends_with("GB")) {
            size.resize(size.size() - 2);
        }
        const auto gigabytes = parse_unsigned(size);
        if (!gigabytes || *gigabytes == 0 || *gigabytes > kLargest) {
            throw UsageError(fmt::format(
                "'--volume {}': expected NAME:SIZE with a size of 1 to {} GB",
                excerpt(text),
                kLargest));
        }
        out.gigabytes = *gigabytes;
    }
    return out;
}

std::optional<Volume>
find_volume(DigitalOceanApi& api, const std::string& name, const std::string& region) {
    KILN_CHECK(is_volume_name(name));
    const std::string what = fmt::format("look for the volume '{}'", name);
    // The filter by region takes those of an outdated list only.
    for (Volume& each :
         read_answers(api.list("/v2/volumes?name=" + name, "volumes", what), what, volume_of)) {
        if (each.name == name && each.region == region) {
            return std::move(each);
        }
    }
    return std::nullopt;
}

std::optional<Volume> find_volume(DigitalOceanApi& api, const std::string& id) {
    const std::string what = fmt::format("read volume {}", id);
    const auto answer = api.find(volume_path(id), what);
    if (!answer) {
        return std::nullopt;
    }
    return read_answer(what, [&] { return volume_of(answer_member(*answer, "volume", what)); });
}

Volume create_volume(
    DigitalOceanApi& api,
    const WantedVolume& volume,
    const std::string& region,
    const std::vector<std::string>& tags) {
    const std::string what = fmt::format("create the volume '{}'", volume.name);
    const Json body{
        {"name", volume.name},
        {"region", region},
        {"size_gigabytes", volume.gigabytes},
        {"tags", tags}};
    constexpr unsigned kMostTries = 5;
    for (unsigned tries = 1;; ++tries) {
        try {
            const Json answer = api.post("/v2/volumes", body, what);
            return read_answer(
                what, [&] { return volume_of(answer_member(answer, "volume", what)); });
        } catch (const UnclearOutcome&) {
            if (tries == kMostTries) {
                throw;
            }
        } catch (const ApiRefusal&) {
            // "already exists" after a lost answer: the volume came late.
            if (tries == 1 || tries == kMostTries) {
                throw;
            }
        }
        api.clock().wait(kTryAgainDelay);
        // A second one cannot come into being: the name is unique.
        if (auto found = find_volume(api, volume.name, region)) {
            return std::move(*found);
        }
    }
}

void attach_volume(DigitalOceanApi& api, const Volume& volume, std::uint64_t droplet) {
    const std::string what = fmt::format("attach volume '{}' to {}", volume.name, droplet);
    const auto is_attached = [&] {
        const auto now = find_volume(api, volume.id);
        return now && std::find(now->droplets.begin(), now->droplets.end(), droplet) !=
                          now->droplets.end();
    };
    try {
        post_again(
            api,
            volume_path(volume.id) + "/actions",
            {{"type", "attach"}, {"droplet_id", droplet}, {"region", volume.region}},
            what);
    } catch (const ApiRefusal&) {
        if (!is_attached()) { // by a request whose answer was lost
            throw;
        }
    }
}

void delete_volume(DigitalOceanApi& api, const std::string& id) {
    // "Cannot delete a volume that is attached": the droplet is going.
    const auto end = api.clock().now() + kTryAgainFor;
    constexpr int kConflict = 409;
    constexpr int kUnprocessable = 422;
    for (;;) {
        try {
            api.remove(volume_path(id), fmt::format("delete volume {}", id));
            return;
        } catch (const ApiRefusal& refusal) {
            const bool is_busy =
                refusal.status() == kConflict || refusal.status() == kUnprocessable;
            if (!is_busy || api.clock().now() >= end) {
                throw;
            }
        }
        api.clock().wait(kTryAgainDelay);
    }
}

} // namespace kiln
