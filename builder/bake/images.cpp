// SPDX-License-Identifier: MIT
#include "bake/images.hpp"

#include "base/output_version.hpp"
#include "base/text.hpp"
#include "disk/disk.hpp"
#include "disk/qcow2/qcow2.hpp"
#include "oci/docker_archive.hpp"
#include "oci/oci.hpp"
#include "tree/tree_diff.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

namespace kiln {

namespace {

constexpr std::string_view kEspMount = "boot/efi";
constexpr const char* kClusterFolder = "clusters";
constexpr const char* kLayerFolder = "layers";
constexpr std::uint64_t kClusterCacheBytes = 4ULL << 30U;

bool wants(const std::vector<std::string>& formats, std::string_view format) {
    return std::find(formats.begin(), formats.end(), format) != formats.end();
}

std::string boot_file(const FileTree& tree, std::string_view path) {
    const Entry* entry = tree.find(path);
    if (entry == nullptr) {
        throw Error(fmt::format("the tree has no '/{}', so the disk would not boot", path))
            .with_hint("a kernel stage under 'vm: stages:' makes it");
    }
    const auto source = open_content(*entry);
    MemorySink content;
    copy(*source, content);
    return std::string(content.text());
}

DiskOptions
disk_options(const DiskTrees& trees, const DiskImageSpec& spec, const BakeSettings& settings) {
    DiskOptions options = root_disk_options(spec, settings);
    options.boot_img = boot_file(trees.root, "boot/grub/i386-pc/boot.img");
    options.core_img = boot_file(trees.root, "boot/grub/i386-pc/core.img");
    options.esp = trees.esp;
    options.esp_bytes = spec.esp_bytes;
    return options;
}

ImageFile describe_file(const ImageContext& context, std::string name, std::string format) {
    const fs::path path = context.folder / name;
    return {std::move(name), std::move(format), sha256_file(path.string()), fs::file_size(path)};
}

void write_raw(
    const DiskTrees& trees,
    const DiskImageSpec& spec,
    const fs::path& raw,
    const ImageContext& context) {
    Job job = context.console.start("write disk");
    job.set_total(trees.root.content_bytes(), Job::Unit::bytes);
    const DiskLayout layout = write_disk(
        trees.root, disk_options(trees, spec, context.settings), raw, [&](std::uint64_t bytes) {
            job.add(bytes);
        });
    job.finish(format_size(layout.size_bytes));
}

void compress(
    const fs::path& raw,
    const fs::path& target,
    const DiskImageSpec& spec,
    const ImageContext& context) {
    Job job = context.console.start("write qcow2");
    job.set_total(fs::file_size(raw), Job::Unit::bytes);
    FileClusterCache cache = open_cluster_cache(context.cache);
    const UniqueFd fd = open_file(raw, O_RDONLY);
    const Qcow2Result result = write_qcow2(
        fd.get(),
        target,
        {.jobs = context.jobs, .compress = spec.compress, .cache = &cache},
        [&](std::uint64_t bytes) { job.add(bytes); });
    job.finish(fmt::format(
        "{}, {} of {} clusters known",
        format_size(result.file_bytes),
        result.clusters_from_cache,
        result.clusters));
}

/// Stages that share a layer: those with the same label, and those without one after them.
struct LayerGroup {
    std::string label;
    std::vector<const StageDelta*> steps;
};

std::vector<LayerGroup> group_layers(const BakedTree& baked) {
    std::vector<LayerGroup> groups;
    for (const StageDelta& step : baked.deltas) {
        const std::string& label = step.planned->spec->layer;
        if (groups.empty() || (!label.empty() && label != groups.back().label)) {
            groups.push_back({label.empty() ? step.planned->spec->name : label, {}});
        }
        groups.back().steps.push_back(&step);
    }
    return groups;
}

OciImageConfig image_config(const OciConfigSpec& spec, const std::string& title) {
    constexpr std::int64_t kNanosecondsPerMillisecond = 1'000'000;
    OciImageConfig out;
    out.user = spec.user;
    for (const std::string& port : spec.ports) {
        out.exposed_ports.insert(port.find('/') == std::string::npos ? port + "/tcp" : port);
    }
    for (const auto& [name, value] : spec.env) {
        out.env.push_back(fmt::format("{}={}", name, value));
    }
    out.entrypoint = spec.entrypoint;
    out.cmd = spec.cmd;
    out.volumes.insert(spec.volumes.begin(), spec.volumes.end());
    out.working_dir = spec.workdir;
    out.labels = spec.labels;
    out.labels.try_emplace("org.opencontainers.image.title", title);
    out.stop_signal = spec.stop_signal;
    if (const auto& check = spec.healthcheck) {
        out.healthcheck = OciHealthcheck{
            check->test,
            check->interval_ms.value_or(0) * kNanosecondsPerMillisecond,
            check->timeout_ms.value_or(0) * kNanosecondsPerMillisecond,
            check->start_period_ms.value_or(0) * kNanosecondsPerMillisecond,
            check->retries.value_or(0)};
    }
    return out;
}

LayerCompression compression_of(const OciImageSpec& spec) {
    if (spec.compression == "zstd") {
        return LayerCompression::zstd;
    }
    return spec.compression == "none" ? LayerCompression::none : LayerCompression::gzip;
}

std::uint64_t folder_bytes(const fs::path& folder) {
    std::uint64_t total = 0;
    for (const auto& file : fs::recursive_directory_iterator(folder)) {
        total += file.is_regular_file() ? file.file_size() : 0;
    }
    return total;
}

/// `below` receives the tree under each layer and must outlive the result.
std::vector<OciLayer> make_layers(const BakedTree& baked, std::vector<FileTree>& below) {
    std::vector<OciLayer> layers;
    const auto groups = group_layers(baked);
    below.resize(groups.size() + 1);
    std::uint32_t stage = 0;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        std::vector<std::string> names;
        below[i + 1] = below[i];
        for (const StageDelta* step : groups[i].steps) {
            below[i + 1].apply(step->delta, stage++);
            names.push_back(step->planned->spec->name);
        }
        layers.push_back(
            {.created_by = fmt::format("kiln: {}", join(names, ", ")),
             .comment = "",
             .delta = diff_trees(below[i], below[i + 1]),
             .below = &below[i]});
    }
    return layers;
}

} // namespace

DiskOptions root_disk_options(const DiskImageSpec& spec, const BakeSettings& settings) {
    DiskOptions options;
    options.seed = settings.identity;
    options.epoch = settings.epoch;
    options.root_label = spec.label;
    options.root_free_bytes = spec.free_bytes;
    return options;
}

FileClusterCache open_cluster_cache(const fs::path& cache) {
    return {cache / kClusterFolder, qcow2_encoder(), kClusterCacheBytes};
}

ImageCaches image_caches(const fs::path& cache) {
    std::error_code absent;
    const auto clusters = fs::file_size(cache / kClusterFolder / kClusterPackName, absent);
    return {
        DirectoryLayerCache(cache / kLayerFolder).bytes(),
        absent ? 0 : static_cast<std::uint64_t>(clusters)};
}

std::uint64_t prune_image_caches(const fs::path& cache, std::int64_t time) {
    std::uint64_t freed = DirectoryLayerCache(cache / kLayerFolder).prune(time);
    const fs::path clusters = cache / kClusterFolder / kClusterPackName;
    if (fs::exists(clusters) && last_used(clusters) < time) {
        freed += fs::file_size(clusters);
        fs::remove(clusters);
    }
    return freed;
}

DiskTrees split_for_disk(const FileTree& tree) {
    DiskTrees out;
    const std::string below = std::string(kEspMount) + "/";
    for (const auto& [path, entry] : tree.entries()) {
        if (path.starts_with(below)) {
            out.esp.put(path.substr(below.size()), entry);
        } else {
            out.root.put(path, entry);
        }
    }
    if (const Entry* mount = tree.find(kEspMount)) {
        out.esp.put("", *mount);
    }
    return out;
}

std::vector<ImageFile> write_disk_images(
    const DiskTrees& trees,
    const DiskImageSpec& spec,
    const std::vector<std::string>& formats,
    const ImageContext& context) {
    const std::string raw_name = context.recipe_name + ".raw";
    const fs::path raw = context.folder / raw_name;
    write_raw(trees, spec, raw, context);
    std::vector<ImageFile> out;
    if (wants(formats, "qcow2")) {
        const std::string name = context.recipe_name + ".qcow2";
        compress(raw, context.folder / name, spec, context);
        out.push_back(describe_file(context, name, "qcow2"));
    }
    if (wants(formats, "raw")) {
        out.push_back(describe_file(context, raw_name, "raw"));
    } else {
        fs::remove(raw);
    }
    return out;
}

std::vector<ImageFile> write_oci_images(
    const BakedTree& baked,
    const OciImageSpec& spec,
    const std::vector<std::string>& formats,
    const ImageContext& context) {
    Job job = context.console.start("write container image");
    std::vector<FileTree> below;
    OciImage image;
    image.layers = make_layers(baked, below);
    image.config = image_config(spec.config, context.recipe_name);
    image.ref_name = "latest";
    image.image_name = fmt::format("docker.io/library/{}:latest", context.recipe_name);
    image.epoch = context.settings.epoch;
    image.architecture = context.settings.architecture;
    DirectoryLayerCache cache(context.cache / kLayerFolder);
    const std::string layout_name = context.recipe_name + ".oci";
    const fs::path layout = context.folder / layout_name;
    const OciWritten written = write_oci_layout(
        image,
        layout,
        {.compression = compression_of(spec),
         .jobs = context.jobs,
         .cache = &cache,
         .output_version = std::to_string(kOutputVersion)});
    std::vector<ImageFile> out;
    if (wants(formats, "docker")) {
        const std::string name = context.recipe_name + ".docker.tar";
        AtomicFile archive(context.folder / name);
        write_docker_archive(layout, {context.recipe_name + ":latest"}, archive);
        archive.commit();
        out.push_back(describe_file(context, name, "docker"));
    }
    job.finish(fmt::format(
        "{} layers, {}", written.layers.size(), format_size(folder_bytes(layout / "blobs"))));
    if (wants(formats, "oci")) {
        out.insert(
            out.begin(),
            {layout_name, "oci", written.manifest.digest, folder_bytes(layout / "blobs")});
    } else {
        fs::remove_all(layout);
    }
    return out;
}

} // namespace kiln
