// SPDX-License-Identifier: MIT
#include "artifact/artifact.hpp"

#include "base/error.hpp"
#include "base/json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

/// What any member that is missing or of another type than to_json() writes comes to.
[[noreturn]] void refuse() {
    throw Error("not a kiln artifact description");
}

template <typename T> T need(std::optional<T> value) {
    if (!value) {
        refuse();
    }
    return std::move(*value);
}

std::string text_in(const nlohmann::json& object, const char* key) {
    return need(json_string(object, key));
}

Digest digest_in(const nlohmann::json& object, const char* key) {
    return need(Digest::parse(text_in(object, key)));
}

const nlohmann::json& list_in(const nlohmann::json& object, const char* key) {
    const nlohmann::json* list = json_member(object, key);
    if (list == nullptr || !list->is_array()) {
        refuse();
    }
    return *list;
}

} // namespace

std::string to_json(const ArtifactInfo& info) {
    Json out{
        {"name", info.name},
        {"kind", info.kind},
        {"key", info.key.to_string()},
        {"tree", info.tree.to_string()},
        {"libraries", Json::array()},
        {"parts", Json::array()}};
    for (const ArtifactLibrary& library : info.libraries) {
        out["libraries"].push_back(
            {{"soname", library.soname}, {"path", library.path}, {"package", library.package}});
    }
    for (const ArtifactPart& part : info.parts) {
        out["parts"].push_back(
            {{"name", part.name},
             {"version", part.version},
             {"bytes", part.bytes},
             {"files", part.files}});
    }
    return json_text(out, 1) + "\n";
}

ArtifactInfo parse_artifact_info(std::string_view text) {
    const nlohmann::json json = need(parse_json_object(text));
    ArtifactInfo out;
    out.name = text_in(json, "name");
    out.kind = text_in(json, "kind");
    out.key = digest_in(json, "key");
    out.tree = digest_in(json, "tree");
    for (const auto& library : list_in(json, "libraries")) {
        out.libraries.push_back(
            {text_in(library, "soname"), text_in(library, "path"), text_in(library, "package")});
    }
    for (const auto& part : list_in(json, "parts")) {
        out.parts.push_back(
            {text_in(part, "name"),
             text_in(part, "version"),
             need(json_unsigned(part, "bytes")),
             need(json_unsigned(part, "files"))});
    }
    return out;
}

ArtifactPart artifact_part(std::string name, std::string version, const FileTree& tree) {
    ArtifactPart out{std::move(name), std::move(version), tree.content_bytes(), 0};
    out.files = static_cast<std::uint64_t>(
        std::count_if(tree.entries().begin(), tree.entries().end(), [](const auto& entry) {
            return entry.second.type == FileType::regular;
        }));
    return out;
}

ArtifactInfo stored_artifact(const Store& store, const Digest& key) {
    return with_context(fmt::format("reading the stored artifact {}", key.hex()), [&] {
        return parse_artifact_info(store.details_of(key));
    });
}

ArtifactInfo stored_artifact(const Store& store, const Digest& key, const std::string& name) {
    ArtifactInfo info = stored_artifact(store, key);
    info.name = name;
    return info;
}

} // namespace kiln
