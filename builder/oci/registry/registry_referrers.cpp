// SPDX-License-Identifier: MIT
#include "oci/registry/registry_referrers.hpp"

#include "base/error.hpp"
#include "oci/registry/registry_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostReferrers = 10'000;
constexpr int kMostPages = 100;

std::vector<IndexItem> read_items(const std::string& text, const Digest& subject) {
    std::vector<IndexItem> out;
    const std::string what = fmt::format("the list of referrers of {}", subject.to_string());
    read_remote_json(text, what, [&](const Json&) { out = parse_index(text, what); });
    return out;
}

bool contains(const std::vector<IndexItem>& items, const Digest& digest) {
    return std::any_of(items.begin(), items.end(), [&](const IndexItem& item) {
        return item.descriptor.digest == digest;
    });
}

/// What the list says of a manifest: its descriptor with artifactType and annotations.
Json item_of(const GraphManifest& referrer) {
    const Json json = parse_json(referrer.text, "manifest");
    Json item = to_json_value(referrer.descriptor());
    if (json.contains("artifactType")) {
        item["artifactType"] = json.at("artifactType");
    } else if (json.contains("config")) {
        item["artifactType"] = json.at("config").at("mediaType");
    }
    if (json.contains("annotations")) {
        item["annotations"] = json.at("annotations");
    }
    return item;
}

std::string with_item(const std::string& index, const GraphManifest& referrer) {
    Json json =
        index.empty()
            ? Json{{"schemaVersion", 2}, {"mediaType", media_type::kIndex}, {"manifests", Json::array()}}
            : parse_json(index, "the list of referrers");
    json.at("manifests").push_back(item_of(referrer));
    return canonical_json(json);
}

} // namespace

std::string referrers_tag(const Digest& subject) {
    return "sha256-" + subject.hex();
}

std::vector<IndexItem>
find_referrers(RegistryClient& registry, const Digest& subject, std::string_view artifact_type) {
    std::vector<IndexItem> out;
    std::string next;
    bool is_kept = false;
    for (int page = 0; page < kMostPages && out.size() < kMostReferrers; ++page) {
        const std::string text = registry.referrers_page(subject, next);
        if (text.empty()) {
            break;
        }
        is_kept = true;
        for (IndexItem& item : read_items(text, subject)) {
            out.push_back(std::move(item));
        }
        if (next.empty()) {
            break;
        }
    }
    if (!is_kept) {
        if (const auto list = registry.manifest(referrers_tag(subject), ManifestKind::any)) {
            out = read_items(list->text, subject);
        }
    }
    std::erase_if(out, [&](const IndexItem& item) {
        return !artifact_type.empty() && item.artifact_type != artifact_type;
    });
    return out;
}

void add_referrer(RegistryClient& registry, const Digest& subject, const GraphManifest& referrer) {
    const std::string tag = referrers_tag(subject);
    constexpr int kMostTries = 5;
    for (int i = 0; i < kMostTries; ++i) {
        const auto list = registry.manifest(tag, ManifestKind::any);
        if (list && contains(read_items(list->text, subject), referrer.digest)) {
            return;
        }
        const std::string text = with_item(list ? list->text : std::string(), referrer);
        static_cast<void>(registry.push_manifest(tag, text, media_type::kIndex));
        // Somebody else may have read the same list and written it after us: look once more.
    }
    throw remote_error(
        fmt::format("the list of referrers '{}' loses its entries; somebody else changes it", tag));
}

} // namespace kiln
