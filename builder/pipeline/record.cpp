// SPDX-License-Identifier: MIT
#include "pipeline/record.hpp"

#include "base/json.hpp"
#include "base/output_version.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace kiln {

namespace {

using nlohmann::ordered_json;

ordered_json to_json(const StageOutcome& stage) {
    return {
        {"name", stage.name},
        {"kind", stage.kind},
        {"branch", branch_name(stage.branch)},
        {"key", stage.key.to_string()},
        {"delta", stage.delta_digest.to_string()},
        {"cached", stage.cached},
        {"seconds", stage.seconds},
        {"bytes", stage.bytes}};
}

ordered_json to_json(const ImageFile& image) {
    return {
        {"name", image.name},
        {"format", image.format},
        {"digest", image.digest.to_string()},
        {"size", image.size}};
}

/// Thrown inside load_record() for whatever is not as write_record() writes it.
struct Malformed {};

template <typename T> T need(std::optional<T> value) {
    if (!value) {
        throw Malformed();
    }
    return std::move(*value);
}

const nlohmann::json& need(const nlohmann::json* value) {
    if (value == nullptr) {
        throw Malformed();
    }
    return *value;
}

Digest digest_in(const nlohmann::json& object, const char* key) {
    return need(Digest::parse(need(json_string(object, key))));
}

/// Results are looked for below the record's folder.
std::string file_name(std::string name) {
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
        throw Malformed();
    }
    return name;
}

Record read_record(const nlohmann::json& json) {
    Record record;
    record.recipe = need(json_string(json, "recipe"));
    record.lock = digest_in(json, "lock");
    record.epoch = static_cast<std::int64_t>(need(json_unsigned(json, "source_date_epoch")));
    for (const auto& [name, digest] : need(json_member(json, "trees")).items()) {
        if (!digest.is_string()) {
            throw Malformed();
        }
        record.trees[file_name(name)] = need(Digest::parse(digest.get<std::string>()));
    }
    for (const auto& image : need(json_member(json, "images"))) {
        record.images.push_back(
            {file_name(need(json_string(image, "name"))),
             need(json_string(image, "format")),
             digest_in(image, "digest"),
             need(json_unsigned(image, "size"))});
    }
    return record;
}

} // namespace

std::string manifest_name(const std::string& format) {
    return format == "oci" || format == "docker" ? "oci.manifest" : "vm.manifest";
}

Digest write_tree_manifest(const FileTree& tree, const fs::path& path) {
    AtomicFile file(path);
    DigestSink digest;
    TeeSink both(file, digest);
    write_manifest(tree, both);
    file.commit();
    return digest.digest();
}

void write_record(const Record& record, const fs::path& folder) {
    ordered_json json{
        {"kiln_record", 1},
        {"output_version", kOutputVersion},
        {"recipe", record.recipe},
        {"lock", record.lock.to_string()},
        {"source_date_epoch", record.epoch},
        {"trees", ordered_json::object()},
        {"images", ordered_json::array()},
        {"stages", ordered_json::array()},
        {"seconds", record.seconds}};
    for (const auto& [name, digest] : record.trees) {
        json["trees"][name] = digest.to_string();
    }
    std::string sums;
    for (const ImageFile& image : record.images) {
        json["images"].push_back(to_json(image));
        const bool is_layout = image.format == "oci";
        const fs::path file = image.name + (is_layout ? "/index.json" : "");
        const Digest digest = is_layout ? sha256_file((folder / file).string()) : image.digest;
        sums += fmt::format("{}  {}\n", digest.hex(), file.string());
    }
    for (const StageOutcome& stage : record.stages) {
        json["stages"].push_back(to_json(stage));
    }
    write_file_atomically(folder / "record.json", json_text(json) + "\n");
    write_file_atomically(folder / "SHA256SUMS", sums);
}

Record load_record(const fs::path& path) {
    const auto json = parse_json_object(read_text_file(path));
    try {
        return read_record(need(json ? &*json : nullptr));
    } catch (const Malformed&) {
        throw Error(
            fmt::format("'{}' is not a record of kiln", path.string()), ExitCode::invalid_recipe)
            .with_hint("'kiln bake' writes it as record.json beside the images");
    }
}

FileTree
load_recorded_tree(const Record& record, const fs::path& folder, const std::string& format) {
    const std::string name = manifest_name(format);
    const auto expected = record.trees.find(name);
    const std::string text = read_text_file(folder / name, kMaxManifestBytes);
    if (expected == record.trees.end() || sha256(text) != expected->second) {
        throw Error(
            fmt::format("'{}' is not the manifest that the record names", (folder / name).string()),
            ExitCode::differs);
    }
    return parse_manifest(text, {});
}

} // namespace kiln
