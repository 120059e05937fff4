// SPDX-License-Identifier: MIT
#include "perl/meta.hpp"

#include "base/json.hpp"

#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include <array>

namespace kiln {

namespace {

using Json = nlohmann::json;

struct PhaseKeys {
    NeedPhase phase;
    const char* version2; ///< key below `prereqs`
    const char* version1; ///< key of the document
};

constexpr std::array<PhaseKeys, 3> kPhases{
    {{NeedPhase::configure, "configure", "configure_requires"},
     {NeedPhase::build, "build", "build_requires"},
     {NeedPhase::runtime, "runtime", "requires"}}};

/// Numbers are written with or without quotes.
std::string scalar_text(const Json& value) {
    return value.is_string() ? value.get<std::string>()
           : value.is_null() ? ""
                             : json_text(value, -1);
}

const Json* member(const Json& object, const char* key) {
    if (!object.is_object()) {
        return nullptr;
    }
    const auto found = object.find(key);
    return found == object.end() ? nullptr : &*found;
}

std::string text_of(const Json& object, const char* key) {
    const Json* value = member(object, key);
    return value == nullptr ? "" : scalar_text(*value);
}

void add_needs(const Json* requires_, NeedPhase phase, DistributionMeta& meta) {
    if (requires_ == nullptr || !requires_->is_object()) {
        return;
    }
    for (const auto& [module, range] : requires_->items()) {
        if (phase == NeedPhase::build && module.starts_with("Test::")) {
            continue;
        }
        // A range that nobody can read asks for nothing that could be checked.
        const auto parsed = VersionRange::parse(scalar_text(range));
        meta.needs.push_back({phase, module, parsed.value_or(VersionRange())});
    }
}

DistributionMeta read_document(const Json& document) {
    DistributionMeta meta;
    meta.name = text_of(document, "name");
    meta.version = text_of(document, "version");
    const Json* prereqs = member(document, "prereqs");
    for (const PhaseKeys& keys : kPhases) {
        const Json* phase = prereqs == nullptr ? &document : member(*prereqs, keys.version2);
        const char* key = prereqs == nullptr ? keys.version1 : "requires";
        add_needs(phase == nullptr ? nullptr : member(*phase, key), keys.phase, meta);
    }
    if (const Json* provides = member(document, "provides");
        provides != nullptr && provides->is_object()) {
        for (const auto& [module, what] : provides->items()) {
            meta.provides[module] = text_of(what, "version");
        }
    }
    return meta;
}

/// Copies a document. Aliases can make a few lines of it endless or huge, so it is bounded.
class Copy {
  public:
    /// Nothing when the document is beyond the bounds.
    static std::optional<Json> of(const YAML::Node& node) {
        Copy copy;
        Json out = copy.value(node, 0);
        return copy.left_ == 0 ? std::nullopt : std::optional(std::move(out));
    }

  private:
    static constexpr int kMaxDepth = 64;

    Json value(const YAML::Node& node, int depth) {
        if (left_ == 0 || depth > kMaxDepth) {
            left_ = 0;
            return nullptr;
        }
        --left_;
        switch (node.Type()) {
        case YAML::NodeType::Scalar:
            return node.Scalar();
        case YAML::NodeType::Sequence: {
            Json out = Json::array();
            for (const YAML::Node& item : node) {
                out.push_back(value(item, depth + 1));
            }
            return out;
        }
        case YAML::NodeType::Map: {
            Json out = Json::object();
            for (const auto& item : node) {
                if (item.first.IsScalar()) {
                    out[item.first.Scalar()] = value(item.second, depth + 1);
                }
            }
            return out;
        }
        default:
            return nullptr;
        }
    }

    std::size_t left_ = 100'000; ///< values that may still be copied
};

} // namespace

std::optional<DistributionMeta> parse_meta_json(std::string_view text) {
    const Json document = Json::parse(text, nullptr, false);
    return document.is_object() ? std::optional(read_document(document)) : std::nullopt;
}

std::optional<DistributionMeta> parse_meta_yaml(std::string_view text) {
    try {
        const auto document = Copy::of(YAML::Load(std::string(text)));
        return document && document->is_object() ? std::optional(read_document(*document))
                                                 : std::nullopt;
    } catch (const YAML::Exception&) {
        return std::nullopt;
    }
}

} // namespace kiln
