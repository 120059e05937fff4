// SPDX-License-Identifier: MIT
#include "artifact/lookup/artifact_registry.hpp"

#include "archive/archive_unpack.hpp"
#include "archive/zstd.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/oci_layer.hpp"
#include "oci/registry/registry_json.hpp"
#include "tree/tree_scan.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

/// Half of it is one of a kind, and registries' web pages stay readable.
constexpr std::size_t kTagDigits = 32;

/// Small before fast: it is compressed once and pulled many times.
constexpr int kLevel = 15;

/// What a registry may say that the parts of an artifact have: a bundle is 10 to 100 MB.
constexpr std::uint64_t kLargestConfig = std::uint64_t{4} << 20U;
constexpr std::uint64_t kLargestLayer = std::uint64_t{16} << 30U;
constexpr std::size_t kLongestName = 64;

constexpr std::string_view kKeyAnnotation = "vnd.kiln.artifact.key";

Error unfit(const std::string& reference, const std::string& what) {
    return Error(fmt::format("'{}' of the registry {}", reference, what), ExitCode::remote_refused);
}

OciDescriptor write_tree(const FileTree& tree, const fs::path& path, unsigned jobs) {
    AtomicFile file(path);
    ZstdSink compressed(file, jobs, kLevel);
    write_layer(plan_layer(tree, nullptr), compressed);
    compressed.finish();
    file.commit();
    return {std::string(media_type::kLayerZstd), sha256_file(path.string()), fs::file_size(path)};
}

std::string
manifest_of(const ArtifactInfo& info, const OciDescriptor& config, const OciDescriptor& layer) {
    return canonical_json(
        {{"schemaVersion", 2},
         {"mediaType", media_type::kManifest},
         {"artifactType", media_type::kArtifact},
         {"config", to_json_value(config)},
         {"layers", Json::array({to_json_value(layer)})},
         {"annotations",
          {{"org.opencontainers.image.title", info.name},
           {kKeyAnnotation, info.key.to_string()}}}});
}

struct ReadManifest {
    OciDescriptor config;
    OciDescriptor layer;
};

ReadManifest read_manifest(const std::string& text, const std::string& reference) {
    ReadManifest out;
    read_remote_json(text, fmt::format("manifest '{}'", reference), [&](const Json& json) {
        if (json.value("artifactType", std::string()) != media_type::kArtifact ||
            json.at("layers").size() != 1) {
            throw unfit(reference, "is not a kiln artifact");
        }
        out.config = remote_descriptor(json.at("config"), kLargestConfig);
        out.layer = remote_descriptor(json.at("layers").at(0), kLargestLayer);
    });
    if (out.layer.media_type != media_type::kLayerZstd ||
        out.config.media_type != media_type::kArtifactConfig) {
        throw unfit(reference, "has parts that this version of kiln does not support");
    }
    return out;
}

/// The name reaches messages and the store's records: only the form that recipes give artifacts.
bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= kLongestName &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_' || c == '.' || c == '+';
           });
}

ArtifactInfo read_info(const std::string& text, const std::string& reference) {
    ArtifactInfo out;
    read_remote_json(text, fmt::format("the config of '{}'", reference), [&](const Json&) {
        out = parse_artifact_info(text);
        if (!is_name(out.name)) {
            throw Error(fmt::format("'{}' is not a valid artifact name", excerpt(out.name)));
        }
    });
    return out;
}

void require_wanted(
    const ArtifactInfo& info, const WantedArtifact& wanted, const std::string& reference) {
    if (info.name != wanted.name) {
        throw unfit(reference, fmt::format("is artifact '{}', not '{}'", info.name, wanted.name));
    }
    if (info.key != wanted.result.key) {
        throw unfit(
            reference,
            fmt::format(
                "is artifact {}, not {}", info.key.to_string(), wanted.result.key.to_string()));
    }
    if (info.tree != wanted.result.tree) {
        throw unfit(
            reference,
            fmt::format(
                "contains tree {}, but the lock has {}",
                info.tree.to_string(),
                wanted.result.tree.to_string()));
    }
}

/// What the registry has under the tag, if it is the same artifact. Also the first request, which
/// shows a wrong login before minutes of work.
std::optional<PushedArtifact>
pushed_before(const std::string& tag, const OciDescriptor& config, RegistryClient& registry) {
    const auto manifest = registry.manifest(tag);
    if (!manifest) {
        return std::nullopt;
    }
    const ReadManifest parts = read_manifest(manifest->text, tag);
    if (parts.config.digest != config.digest || !registry.has_blob(parts.layer.digest)) {
        return std::nullopt;
    }
    return PushedArtifact{tag, manifest->digest, parts.layer.size};
}

/// An archive that cannot be unpacked is the registry's fault; a disk that cannot be written is
/// not.
void unpack_layer(const fs::path& blob, const std::string& reference, const fs::path& folder) {
    FileSource archive(blob);
    try {
        unpack_archive(archive, reference, folder);
    } catch (const SystemError&) {
        throw;
    } catch (const Error& error) {
        if (error.exit_code() != ExitCode::failed) {
            throw;
        }
        throw unfit(reference, "has a damaged layer: " + error.message());
    }
}

} // namespace

std::string artifact_tag(const std::string& name, const Digest& key) {
    return fmt::format("{}-{}", name, key.hex().substr(0, kTagDigits));
}

PushedArtifact push_artifact(
    const ArtifactInfo& info,
    RegistryClient& registry,
    const Store& store,
    unsigned jobs,
    Console& console) {
    Job job = console.start(fmt::format("push {}", info.name));
    const std::string config_text = to_json(info);
    const OciDescriptor config{
        std::string(media_type::kArtifactConfig), sha256(config_text), config_text.size()};
    const std::string tag = artifact_tag(info.name, info.key);
    if (auto known = pushed_before(tag, config, registry)) {
        job.finish("already in the registry");
        return *known;
    }
    const auto work = store.begin_work();
    const fs::path path = work->path() / "tree.tar.zst";
    job.note("compress");
    const OciDescriptor layer = write_tree(store.load(info.key), path, jobs);
    job.note("upload");
    registry.push_blob(layer, [&] { return std::make_unique<FileSource>(path); });
    registry.push_blob(
        config, [&] { return std::make_unique<MemorySource>(as_byte_span(config_text)); });
    PushedArtifact out{artifact_tag(info.name, info.key), {}, layer.size};
    out.manifest =
        registry.push_manifest(out.tag, manifest_of(info, config, layer), media_type::kManifest)
            .digest;
    job.finish(format_size(layer.size));
    return out;
}

std::optional<ArtifactInfo> pull_artifact(
    const std::string& reference,
    const WantedArtifact& wanted,
    RegistryClient& registry,
    const Store& store,
    Console& console) {
    const auto start = Clock::now();
    const auto manifest = registry.manifest(reference);
    if (!manifest) {
        return std::nullopt;
    }
    const ReadManifest parts = read_manifest(manifest->text, reference);
    const std::string details = registry.fetch_text(parts.config);
    ArtifactInfo info = read_info(details, reference);
    require_wanted(info, wanted, reference);
    const Digest& key = wanted.result.key;
    if (store.contains(key)) {
        return info;
    }
    Job job = console.start(fmt::format("pull {}", info.name));
    const auto work = store.begin_work();
    const fs::path blob = work->path() / "tree.tar.zst";
    job.note(format_size(parts.layer.size));
    registry.fetch_blob(parts.layer, blob);
    job.note("unpack");
    const fs::path folder = work->path() / "tree";
    fs::create_directory(folder);
    fs::permissions(folder, fs::perms(0755));
    unpack_layer(blob, reference, folder);
    const FileTree tree = scan_tree(
        folder, {.mtime = [](const std::string&, FileType, std::int64_t found) { return found; }});
    if (tree.digest() != wanted.result.tree) {
        throw unfit(
            reference, fmt::format("does not contain tree {}", wanted.result.tree.to_string()));
    }
    store.commit(
        folder,
        key,
        tree,
        {.recipe = info.name,
         .kind = kArtifactKind,
         .name = info.name,
         .seconds = std::chrono::duration<double>(Clock::now() - start).count(),
         .bytes = tree.content_bytes(),
         .files = tree.entries().size(),
         .details = details});
    job.finish(format_size(parts.layer.size));
    return info;
}

} // namespace kiln
