// SPDX-License-Identifier: MIT
#include "pipeline/artifact.hpp"

#include "base/error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

Digest digest_of(const Json& value) {
    const auto digest = Digest::parse(value.get<std::string>());
    if (!digest) {
        throw Error("a digest is malformed");
    }
    return *digest;
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
    return out.dump(1) + "\n";
}

ArtifactInfo parse_artifact_info(std::string_view text) {
    try {
        const Json json = Json::parse(text);
        ArtifactInfo out;
        out.name = json.at("name");
        out.kind = json.at("kind");
        out.key = digest_of(json.at("key"));
        out.tree = digest_of(json.at("tree"));
        for (const Json& library : json.at("libraries")) {
            out.libraries.push_back(
                {library.at("soname"), library.at("path"), library.at("package")});
        }
        for (const Json& part : json.at("parts")) {
            out.parts.push_back(
                {part.at("name"), part.at("version"), part.at("bytes"), part.at("files")});
        }
        return out;
    } catch (const Json::exception& error) {
        throw Error(fmt::format("this describes no artifact of kiln: {}", error.what()));
    }
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

} // namespace kiln
