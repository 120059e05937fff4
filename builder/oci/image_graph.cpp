// SPDX-License-Identifier: MIT
#include "oci/image_graph.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kMostDepth = 4;
constexpr std::size_t kMostManifests = 256;

bool is_index_type(std::string_view type) {
    return type == media_type::kIndex || type == media_type::kDockerList;
}

bool is_manifest_type(std::string_view type) {
    return type == media_type::kManifest || type == media_type::kDockerManifest;
}

std::string platform_of(const JsonObject& descriptor) {
    if (!descriptor.has("platform")) {
        return {};
    }
    const JsonObject platform = descriptor.object("platform");
    const std::string variant = platform.text_or_empty("variant");
    return fmt::format(
        "{}/{}{}{}",
        platform.text_or_empty("os"),
        platform.text_or_empty("architecture"),
        variant.empty() ? "" : "/",
        variant);
}

/// Adds what a descriptor of a layout names, children first.
class GraphReader {
  public:
    explicit GraphReader(const OciFiles& files) : files_(files) {}

    void add(const OciDescriptor& descriptor, int depth = 0) {
        if (!seen_.insert(descriptor.digest).second) {
            return;
        }
        if (depth > kMostDepth || seen_.size() > kMostManifests) {
            throw Error("the indexes of the image are too many or nested too deeply");
        }
        GraphManifest manifest = parse_graph_manifest(
            files_.read_blob(descriptor),
            descriptor.media_type,
            fmt::format("manifest {}", descriptor.digest.to_string()));
        for (const OciDescriptor& blob : manifest.blobs) {
            static_cast<void>(files_.open_blob(blob));
        }
        if (!manifest.children.empty()) {
            for (const IndexItem& child : parse_index(manifest.text, "the index")) {
                add(child.descriptor, depth + 1);
            }
        }
        graph_.manifests.push_back(std::move(manifest));
    }

    ImageGraph finish() { return std::move(graph_); }

  private:
    const OciFiles& files_;
    std::set<Digest> seen_;
    ImageGraph graph_;
};

/// The items that are meant by a name.
std::vector<IndexItem> named(std::vector<IndexItem> items, std::string_view ref_name) {
    if (!ref_name.empty()) {
        std::erase_if(items, [&](const IndexItem& item) {
            const auto found = item.descriptor.annotations.find(std::string(annotation::kRefName));
            return found == item.descriptor.annotations.end() || found->second != ref_name;
        });
    }
    if (items.empty()) {
        throw Error(
            ref_name.empty() ? std::string("the layout holds no image")
                             : fmt::format("the layout holds no image named '{}'", ref_name));
    }
    return items;
}

void require_platforms(const std::vector<IndexItem>& items) {
    std::set<std::string> platforms;
    for (const IndexItem& item : items) {
        if (item.platform.empty() || !platforms.insert(item.platform).second) {
            std::vector<std::string> names;
            for (const IndexItem& each : items) {
                const auto& annotations = each.descriptor.annotations;
                const auto name = annotations.find(std::string(annotation::kRefName));
                names.push_back(
                    name == annotations.end() ? each.descriptor.digest.to_string()
                                              : printable(name->second));
            }
            throw Error(fmt::format("the layout holds {} images", items.size()))
                .with_details(std::move(names))
                .with_hint("choose one with --ref-name NAME");
        }
    }
}

/// REPRO: items in the order of the layout, with what says which platform they are for.
GraphManifest join_platforms(const std::string& index_text, const std::vector<IndexItem>& items) {
    const Json json = parse_json(index_text, "index.json");
    Json manifests = Json::array();
    for (const Json& item : json.at("manifests")) {
        const bool wanted = std::any_of(items.begin(), items.end(), [&](const IndexItem& each) {
            return item.at("digest") == each.descriptor.digest.to_string();
        });
        if (wanted) {
            manifests.push_back(
                {{"mediaType", item.at("mediaType")},
                 {"digest", item.at("digest")},
                 {"size", item.at("size")},
                 {"platform", item.at("platform")}});
        }
    }
    std::string text = canonical_json(
        {{"schemaVersion", 2},
         {"mediaType", media_type::kIndex},
         {"manifests", std::move(manifests)}});
    return parse_graph_manifest(std::move(text), media_type::kIndex, "the index");
}

} // namespace

std::vector<OciDescriptor> ImageGraph::blobs() const {
    std::vector<OciDescriptor> out;
    std::set<Digest> seen;
    for (const GraphManifest& manifest : manifests) {
        for (const OciDescriptor& blob : manifest.blobs) {
            if (seen.insert(blob.digest).second) {
                out.push_back(blob);
            }
        }
    }
    return out;
}

GraphManifest
parse_graph_manifest(std::string text, std::string_view media_type, const std::string& what) {
    const Json json = parse_json(text, what);
    const JsonObject object(json, what);
    GraphManifest out;
    const std::string stated = object.text_or_empty("mediaType");
    out.media_type = stated.empty() ? std::string(media_type) : stated;
    if (!media_type.empty() && out.media_type != media_type) {
        throw Error(fmt::format(
            "{} is of type '{}', and its descriptor says '{}'",
            what,
            excerpt(out.media_type),
            excerpt(media_type)));
    }
    if (out.media_type.empty()) {
        out.media_type = object.has("manifests") ? media_type::kIndex : media_type::kManifest;
    }
    if (is_index_type(out.media_type)) {
        for (const JsonObject& item : object.objects("manifests")) {
            out.children.push_back(descriptor_from_json(item).digest);
        }
    } else if (is_manifest_type(out.media_type)) {
        out.blobs.push_back(descriptor_from_json(object.object("config")));
        for (const JsonObject& layer : object.objects("layers")) {
            out.blobs.push_back(descriptor_from_json(layer));
        }
    } else {
        throw Error(fmt::format("{} is of the unknown type '{}'", what, excerpt(out.media_type)));
    }
    out.digest = sha256(text);
    out.text = std::move(text);
    return out;
}

std::vector<IndexItem> parse_index(std::string_view text, const std::string& what) {
    const Json json = parse_json(text, what);
    const JsonObject index(json, what);
    std::vector<IndexItem> out;
    for (const JsonObject& item : index.objects("manifests")) {
        out.push_back(
            {descriptor_from_json(item), platform_of(item), item.text_or_empty("artifactType")});
    }
    return out;
}

ImageGraph read_image_graph(const OciFiles& files, std::string_view ref_name) {
    const std::string text = files.read_text("index.json");
    const std::vector<IndexItem> items = named(parse_index(text, "index.json"), ref_name);
    GraphReader reader(files);
    for (const IndexItem& item : items) {
        reader.add(item.descriptor);
    }
    ImageGraph graph = reader.finish();
    if (items.size() > 1) {
        require_platforms(items);
        graph.manifests.push_back(join_platforms(text, items));
    }
    if (const GraphManifest& root = graph.root(); !root.children.empty()) {
        for (const IndexItem& item : parse_index(root.text, "the index")) {
            graph.platforms.push_back(item.platform);
        }
    }
    return graph;
}

} // namespace kiln
