// SPDX-License-Identifier: MIT
#include "bake/record.hpp"

#include "base/error.hpp"
#include "base/io/beneath.hpp"
#include "base/json.hpp"
#include "base/json_object.hpp"
#include "base/output_version.hpp"
#include "base/text.hpp"
#include "build/store.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace kiln {

namespace {

using nlohmann::ordered_json;

ordered_json to_json(const StageOutcome& stage) {
    ordered_json json{
        {"name", stage.name},
        {"kind", stage.kind},
        {"branch", branch_name(stage.branch)},
        {"key", stage.key.to_string()},
        {"delta", stage.delta_digest.to_string()},
        {"cached", stage.cached},
        {"seconds", stage.seconds},
        {"bytes", stage.bytes}};
    if (stage.other_delta) {
        json["other_delta"] = stage.other_delta->to_string();
    }
    return json;
}

ordered_json to_json(const ImageFile& image) {
    ordered_json json{
        {"name", image.name},
        {"format", name_of(image.format)},
        {"digest", image.digest.to_string()},
        {"size", image.size}};
    if (!image.check.empty()) {
        json["check"] = image.check;
    }
    return json;
}

Digest digest_of(const std::string& text) {
    const auto digest = Digest::parse(text);
    if (!digest) {
        throw Error(fmt::format("'{}' is not a valid digest", printable(text)));
    }
    return *digest;
}

ImageFormat format_of(const std::string& name) {
    const auto format = find_image_format(name);
    if (!format) {
        throw Error(fmt::format("unknown image format '{}'", printable(name)));
    }
    return *format;
}

/// Results are looked for below the record's folder.
std::string file_name(std::string name) {
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
        throw Error(fmt::format("'{}' is not a valid file name", printable(name)));
    }
    return name;
}

} // namespace

std::string manifest_name(ImageFormat format) {
    return is_disk(format) ? "vm.manifest" : "oci.manifest";
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
        const bool is_layout = info_of(image.format).is_directory;
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
    try {
        // It may have come with a foreign image: read within limits, as the image is.
        const auto json = parse_json(RegularFile(path).read_text(kMaxJsonBytes), path.string());
        const JsonObject fields(json, "record");
        Record record;
        record.recipe = fields.text("recipe");
        record.lock = digest_of(fields.text("lock"));
        record.epoch = static_cast<std::int64_t>(fields.number("source_date_epoch"));
        for (const auto& [name, digest] : fields.text_map("trees")) {
            record.trees[file_name(name)] = digest_of(digest);
        }
        for (const JsonObject& image : fields.objects("images")) {
            record.images.push_back(
                {file_name(image.text("name")),
                 format_of(image.text("format")),
                 digest_of(image.text("digest")),
                 image.number("size"),
                 image.text_or_empty("check")});
        }
        return record;
    } catch (const SystemError&) {
        throw;
    } catch (const Error& fault) {
        throw Error(
            fmt::format("'{}' is not a kiln record: {}", path.string(), fault.message()),
            ExitCode::invalid_recipe);
    }
}

FileTree load_recorded_tree(const Record& record, const fs::path& folder, ImageFormat format) {
    const std::string name = manifest_name(format);
    const auto expected = record.trees.find(name);
    const std::string text = RegularFile(folder / name).read_text(kMaxManifestBytes);
    if (expected == record.trees.end() || sha256(text) != expected->second) {
        throw Error(
            fmt::format(
                "checksum mismatch: '{}' is not the manifest listed in the record",
                (folder / name).string()),
            ExitCode::differs);
    }
    return parse_manifest(text, {});
}

} // namespace kiln
