// SPDX-License-Identifier: MIT
#include "publish/digitalocean/images.hpp"

#include "base/json_object.hpp"
#include "base/text.hpp"
#include "publish/digitalocean/api_answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
        return static_cast<char>(std::tolower(c));
    });
    return text;
}

double number_or_zero(const Json& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_number() ? found->get<double>() : 0.0;
}

CloudImage image_of(const Json& json, const std::string& what) {
    return read_answer(what, [&] {
        const JsonObject object(json, "an image");
        CloudImage out;
        out.id = object.number("id");
        out.name = object.text_or_empty("name");
        out.type = object.text_or_empty("type");
        out.distribution = object.text_or_empty("distribution");
        out.status = lower(object.text_or_empty("status"));
        out.error_message = trim(object.text_or_empty("error_message"));
        out.created_at = object.text_or_empty("created_at");
        out.regions = object.texts_or_empty("regions");
        out.tags = object.texts_or_empty("tags");
        out.min_disk_gigabytes = object.number_or("min_disk_size", 0);
        out.gigabytes = number_or_zero(json, "size_gigabytes");
        return out;
    });
}

ImageAction action_of(const Json& json, const std::string& what) {
    return read_answer(what, [&] {
        const JsonObject object(json, "an action");
        ImageAction out;
        out.id = object.number("id");
        out.type = object.text_or_empty("type");
        out.status = object.text_or_empty("status");
        out.region = object.text_or_empty("region_slug");
        return out;
    });
}

CloudRegion region_of(const Json& json, const std::string& what) {
    return read_answer(what, [&] {
        const JsonObject object(json, "a region");
        const std::vector<std::string> features = object.texts_or_empty("features");
        CloudRegion out;
        out.slug = object.text("slug");
        out.name = object.text_or_empty("name");
        out.is_available = object.flag("available");
        out.takes_transfers =
            std::find(features.begin(), features.end(), "image_transfer") != features.end();
        return out;
    });
}

template <typename Value>
std::vector<Value> all_of(
    const std::vector<Json>& items,
    const std::string& what,
    Value (*read)(const Json&, const std::string&)) {
    std::vector<Value> out;
    out.reserve(items.size());
    for (const Json& item : items) {
        out.push_back(read(item, what));
    }
    return out;
}

std::string image_path(std::uint64_t id) {
    return fmt::format("/v2/images/{}", id);
}

constexpr auto kDistributions = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"arch", "Arch Linux"},
    {"centos", "CentOS"},
    {"debian", "Debian"},
    {"fedora", "Fedora"},
    {"freebsd", "FreeBSD"},
    {"gentoo", "Gentoo"},
    {"opensuse", "openSUSE"},
    {"rocky", "Rocky Linux"},
    {"ubuntu", "Ubuntu"},
});

} // namespace

bool CloudImage::has_failed() const {
    return status == "deleted" || status == "retired" || !error_message.empty();
}

bool CloudImage::is_in(std::string_view region) const {
    return std::find(regions.begin(), regions.end(), region) != regions.end();
}

bool CloudImage::has_tag(std::string_view tag) const {
    return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

std::string distribution_of(std::string_view os_release_id) {
    for (const auto& [id, name] : kDistributions) {
        if (id == os_release_id) {
            return std::string(name);
        }
    }
    return "Unknown";
}

bool is_cloud_tag(std::string_view text) {
    constexpr std::size_t kLongest = 255;
    return !text.empty() && text.size() <= kLongest &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) {
               return c < 0x80U && (std::isalnum(c) != 0 || c == ':' || c == '-' || c == '_');
           });
}

CloudImage create_image(DigitalOceanApi& api, const NewCloudImage& image) {
    const std::string what = fmt::format("create the image '{}'", printable(image.name));
    const Json answer = api.post(
        "/v2/images",
        {{"name", image.name},
         {"url", image.url},
         {"region", image.region},
         {"distribution", image.distribution},
         {"description", image.description},
         {"tags", image.tags}},
        what);
    return image_of(answer_member(answer, "image", what), what);
}

std::optional<CloudImage> find_image(DigitalOceanApi& api, std::uint64_t id) {
    const std::string what = fmt::format("read image {}", id);
    const auto answer = api.find(image_path(id), what);
    if (!answer) {
        return std::nullopt;
    }
    return image_of(answer_member(*answer, "image", what), what);
}

std::vector<CloudImage> images_with_tag(DigitalOceanApi& api, const std::string& tag) {
    KILN_CHECK(is_cloud_tag(tag));
    const std::string what = fmt::format("list the images with the tag '{}'", tag);
    return all_of(api.list("/v2/images?tag_name=" + tag, "images", what), what, image_of);
}

std::vector<CloudImage> private_images(DigitalOceanApi& api) {
    const std::string what = "list the images of this account";
    return all_of(api.list("/v2/images?private=true", "images", what), what, image_of);
}

void delete_image(DigitalOceanApi& api, std::uint64_t id) {
    try {
        api.remove(image_path(id), fmt::format("delete image {}", id));
    } catch (const ApiRefusal& refusal) {
        // "Can not delete an already deleted image", with a status that has changed over the years.
        if (lower(refusal.message()).find("already deleted") == std::string::npos) {
            throw;
        }
    }
}

ImageAction start_transfer(DigitalOceanApi& api, std::uint64_t image, const std::string& region) {
    const std::string what = fmt::format("transfer image {} to {}", image, printable(region));
    const Json answer =
        api.post(image_path(image) + "/actions", {{"type", "transfer"}, {"region", region}}, what);
    // The specification has the action bare, its example and the API itself within "action".
    const auto inner = answer.find("action");
    return action_of(inner == answer.end() ? answer : *inner, what);
}

std::optional<ImageAction>
find_image_action(DigitalOceanApi& api, std::uint64_t image, std::uint64_t action) {
    const std::string what = fmt::format("read action {} of image {}", action, image);
    const auto answer = api.find(fmt::format("{}/actions/{}", image_path(image), action), what);
    if (!answer) {
        return std::nullopt;
    }
    const auto inner = answer->find("action");
    return action_of(inner == answer->end() ? *answer : *inner, what);
}

std::vector<ImageAction> image_actions(DigitalOceanApi& api, std::uint64_t image) {
    const std::string what = fmt::format("list the actions of image {}", image);
    return all_of(api.list(image_path(image) + "/actions", "actions", what), what, action_of);
}

std::vector<CloudRegion> list_regions(DigitalOceanApi& api) {
    const std::string what = "list the regions";
    return all_of(api.list("/v2/regions", "regions", what), what, region_of);
}

void require_regions(
    const std::vector<CloudRegion>& known, const std::vector<std::string>& wanted) {
    std::vector<std::string> slugs;
    for (const CloudRegion& region : known) {
        if (region.is_available) {
            slugs.push_back(printable(region.slug));
        }
    }
    std::sort(slugs.begin(), slugs.end());
    const std::string hint = "regions: " + join(slugs, ", ");
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const auto found = std::find_if(known.begin(), known.end(), [&](const CloudRegion& each) {
            return each.slug == wanted.at(i);
        });
        if (found == known.end()) {
            throw UsageError(fmt::format("DigitalOcean has no region '{}'", excerpt(wanted.at(i))))
                .with_hint(hint);
        }
        if (!found->is_available) {
            throw UsageError(fmt::format("region '{}' is not available now", wanted.at(i)))
                .with_hint(hint);
        }
        if (i > 0 && !found->takes_transfers) {
            throw UsageError(
                fmt::format("images cannot be transferred to region '{}'", wanted.at(i)))
                .with_hint("name it first: the image is then created there");
        }
    }
}

} // namespace kiln
