// SPDX-License-Identifier: MIT
#include "publish/registry/pull_image.hpp"

#include "bake/images.hpp"
#include "bake/output_folder.hpp"
#include "base/error.hpp"
#include "base/parallel.hpp"
#include "base/text.hpp"
#include "oci/docker_archive.hpp"
#include "oci/image_graph.hpp"
#include "oci/oci_reader.hpp"
#include "oci/registry/registry_json.hpp"
#include "oci/registry/registry_referrers.hpp"
#include "publish/registry/outgoing_image.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <set>
#include <utility>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kMostDepth = 4;
constexpr std::size_t kMostManifests = 256;

class ImagePull {
  public:
    ImagePull(RegistryClient& registry, const RegistryPull& pull, Console& console)
        : registry_(registry), pull_(pull), console_(console) {}

    PulledImage run() {
        GraphManifest root = fetch_manifest(pull_.reference, "");
        if (!pull_.all_platforms) {
            root = choose_platform(std::move(root), 0);
        }
        if (pull_.disk && !disk_of(root)) {
            root = fetch_disk_of(root);
        }
        out_.digest = root.digest;
        if (const auto disk = disk_of(root)) {
            return write_disk(*disk);
        }
        require_container(root);
        return write_container(std::move(root));
    }

  private:
    [[nodiscard]] std::string shown(const std::string& reference) const {
        return registry_.repository().to_string() + (reference.starts_with("sha256:") ? "@" : ":") +
               reference;
    }

    [[nodiscard]] Error unfit(const std::string& what) const {
        return remote_error(fmt::format("'{}' {}", shown(pull_.reference), what));
    }

    GraphManifest fetch_manifest(const std::string& reference, const std::string& media_type) {
        const auto found = registry_.manifest(reference, ManifestKind::any);
        if (!found) {
            throw remote_error(fmt::format("'{}' is not in the registry", shown(reference)));
        }
        GraphManifest out;
        const std::string what = fmt::format("manifest '{}'", shown(reference));
        read_remote_json(found->text, what, [&](const Json&) {
            out = parse_graph_manifest(found->text, media_type, what);
        });
        return out;
    }

    [[nodiscard]] std::vector<IndexItem> items_of(const GraphManifest& index) const {
        std::vector<IndexItem> out;
        read_remote_json(index.text, "the index", [&](const Json&) {
            out = parse_index(index.text, "the index");
        });
        return out;
    }

    GraphManifest choose_platform(GraphManifest manifest, int depth) {
        if (manifest.children.empty()) {
            return manifest;
        }
        std::vector<IndexItem> items = items_of(manifest);
        std::vector<std::string> platforms;
        for (const IndexItem& item : items) {
            platforms.push_back(printable(item.platform.empty() ? "none" : item.platform));
        }
        if (items.size() > 1 || !items.front().platform.empty()) {
            std::erase_if(items, [&](const IndexItem& item) {
                return item.platform != pull_.platform &&
                       !item.platform.starts_with(pull_.platform + "/");
            });
        }
        if (items.size() != 1 || depth == kMostDepth) {
            throw unfit(
                fmt::format("has {} images for platform '{}'", items.size(), pull_.platform))
                .with_details({"platforms: " + join(platforms, ", ")})
                .with_hint("choose one with --platform, or take all with --all-platforms");
        }
        const OciDescriptor& chosen = items.front().descriptor;
        return choose_platform(
            fetch_manifest(chosen.digest.to_string(), chosen.media_type), depth + 1);
    }

    /// The layer of a manifest that is a disk of kiln's.
    [[nodiscard]] static std::optional<OciDescriptor> disk_of(const GraphManifest& manifest) {
        const Json json = parse_json(manifest.text, "manifest");
        const JsonObject object(json, "manifest");
        constexpr std::size_t kParts = 2; // config and layer
        if (object.text_or_empty("artifactType") != kDiskArtifact ||
            manifest.blobs.size() != kParts || !disk_format_of(manifest.blobs.back().media_type)) {
            return std::nullopt;
        }
        return manifest.blobs.back();
    }

    GraphManifest fetch_disk_of(const GraphManifest& image) {
        const std::vector<IndexItem> disks = find_referrers(registry_, image.digest, kDiskArtifact);
        if (disks.empty()) {
            throw unfit("has no disk")
                .with_hint(
                    "'kiln publish registry NAME REF --disk' pushes it with the container image");
        }
        // The last one is what was pushed last.
        const OciDescriptor& disk = disks.back().descriptor;
        GraphManifest out = fetch_manifest(disk.digest.to_string(), disk.media_type);
        if (!disk_of(out)) {
            throw unfit("has a disk of a kind that this kiln does not know");
        }
        return out;
    }

    void require_container(const GraphManifest& manifest) const {
        if (!manifest.children.empty()) {
            return;
        }
        const std::string& type = manifest.blobs.front().media_type;
        if (type != media_type::kConfig && type != media_type::kDockerConfig) {
            throw unfit(fmt::format(
                "is neither a container image nor a disk that kiln pushed, but of type '{}'",
                excerpt(type)));
        }
    }

    [[nodiscard]] fs::path target(ImageFormat format) const {
        return pull_.out / (pull_.name + std::string(info_of(format).suffix));
    }

    /// Whether the result is there as it would be written; otherwise nothing may be in its place.
    template <typename IsSame> bool is_there(const fs::path& path, IsSame is_same) const {
        if (!fs::exists(fs::symlink_status(path))) {
            return false;
        }
        try {
            if (is_same()) {
                return true;
            }
        } catch (const Error&) { // damaged, or something else
        }
        if (!pull_.replace) {
            throw Error(fmt::format("'{}' is there already and is another image", path.string()))
                .with_hint("--replace replaces it, --out FOLDER writes elsewhere");
        }
        return false;
    }

    PulledImage write_disk(const OciDescriptor& disk) {
        out_.format = disk_format_of(disk.media_type).value_or(ImageFormat::raw);
        out_.path = target(out_.format);
        out_.bytes = disk.size;
        out_.was_there = is_there(out_.path, [&] {
            return fs::file_size(out_.path) == disk.size &&
                   sha256_file(out_.path.string()) == disk.digest;
        });
        if (out_.was_there) {
            return out_;
        }
        const OutFolderLock lock(pull_.out);
        const TempDir folder(pull_.out, kTemporaryPrefix);
        fetch_blobs(
            {disk}, [&](const OciDescriptor&) { return folder.path() / out_.path.filename(); });
        static_cast<void>(publish_results(folder.path(), pull_.out, pull_.umask));
        return out_;
    }

    PulledImage write_container(GraphManifest root) {
        out_.format = pull_.docker_archive ? ImageFormat::docker : ImageFormat::oci;
        out_.path = target(out_.format);
        out_.was_there = is_there(out_.path, [&] {
            return out_.format == ImageFormat::oci && root.children.empty() &&
                   read_oci_manifest(out_.path, "").descriptor.digest == root.digest;
        });
        if (out_.was_there) {
            return out_;
        }
        const OutFolderLock lock(pull_.out);
        const TempDir folder(pull_.out, kTemporaryPrefix);
        const TempDir layout_folder(pull_.out, kTemporaryPrefix);
        const fs::path layout = (pull_.docker_archive ? layout_folder : folder).path() /
                                (pull_.name + std::string(info_of(ImageFormat::oci).suffix));
        write_layout(layout, std::move(root));
        if (pull_.docker_archive) {
            AtomicFile archive(folder.path() / out_.path.filename());
            write_docker_archive(layout, {}, archive);
            archive.commit();
        }
        static_cast<void>(publish_results(folder.path(), pull_.out, pull_.umask));
        return out_;
    }

    void write_layout(const fs::path& layout, GraphManifest root) {
        const OciDescriptor descriptor = root.descriptor();
        ImageGraph graph;
        std::set<Digest> seen;
        collect(std::move(root), graph, seen, 0);
        const fs::path blobs = layout / "blobs/sha256";
        fs::create_directories(blobs);
        for (const GraphManifest& manifest : graph.manifests) {
            write_file_atomically(blobs / manifest.digest.hex(), manifest.text);
            out_.bytes += manifest.text.size();
        }
        fetch_blobs(
            graph.blobs(), [&](const OciDescriptor& blob) { return blobs / blob.digest.hex(); });
        write_file_atomically(layout / "oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
        write_file_atomically(layout / "index.json", index_of(descriptor));
    }

    /// The manifests of an index, with all of theirs.
    void collect(GraphManifest manifest, ImageGraph& graph, std::set<Digest>& seen, int depth) {
        if (!seen.insert(manifest.digest).second) {
            return;
        }
        if (depth > kMostDepth || seen.size() > kMostManifests) {
            throw unfit("has too many indexes");
        }
        if (!manifest.children.empty()) {
            for (const IndexItem& item : items_of(manifest)) {
                collect(
                    fetch_manifest(item.descriptor.digest.to_string(), item.descriptor.media_type),
                    graph,
                    seen,
                    depth + 1);
            }
        }
        graph.manifests.push_back(std::move(manifest));
    }

    [[nodiscard]] std::string index_of(const OciDescriptor& descriptor) const {
        OciDescriptor item = descriptor;
        if (!pull_.reference.starts_with("sha256:")) {
            item.annotations = {
                {std::string(annotation::kImageName), shown(pull_.reference)},
                {std::string(annotation::kRefName), pull_.reference}};
        }
        return canonical_json(
            {{"schemaVersion", 2},
             {"mediaType", media_type::kIndex},
             {"manifests", Json::array({to_json_value(item)})}});
    }

    template <typename PathOf>
    void fetch_blobs(const std::vector<OciDescriptor>& blobs, const PathOf& path_of) {
        std::uint64_t total = 0;
        for (const OciDescriptor& blob : blobs) {
            total += std::min(blob.size, ~std::uint64_t{0} - total);
        }
        const std::uintmax_t room = fs::space(pull_.out).available;
        if (total > room) {
            throw Error(fmt::format(
                "the image of {} does not fit into '{}', which has {} left",
                format_size(total),
                pull_.out.string(),
                format_size(room)));
        }
        Job job = console_.start(fmt::format("pull {}", pull_.name));
        job.set_total(total, Job::Unit::bytes);
        std::atomic<std::int64_t> done{0};
        parallel_for(blobs.size(), pull_.jobs, [&](std::size_t i) {
            registry_.fetch_blob(blobs.at(i), path_of(blobs.at(i)), [&](std::int64_t bytes) {
                const std::int64_t now = done += bytes;
                job.set_done(static_cast<std::uint64_t>(std::max<std::int64_t>(now, 0)));
            });
        });
        out_.bytes = total;
        job.finish();
    }

    RegistryClient& registry_;
    const RegistryPull& pull_;
    Console& console_;
    PulledImage out_;
};

} // namespace

PulledImage pull_image(RegistryClient& registry, const RegistryPull& pull, Console& console) {
    return ImagePull(registry, pull, console).run();
}

} // namespace kiln
