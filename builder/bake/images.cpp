// SPDX-License-Identifier: MIT
#include "bake/images.hpp"

#include "bake/formats/image_caches.hpp"
#include "bake/formats/writers.hpp"
#include "base/output_version.hpp"
#include "base/text.hpp"
#include "disk/disk.hpp"
#include "oci/oci.hpp"
#include "tree/tree_diff.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kiln {

namespace {

constexpr std::string_view kEspMount = "boot/efi";

std::string boot_file(const FileTree& tree, std::string_view path) {
    const Entry* entry = tree.find(path);
    if (entry == nullptr) {
        throw Error(fmt::format("the disk would not boot: '/{}' not found in the tree", path))
            .with_hint("add a kernel stage under 'vm: stages:'");
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

fs::path result_path(const ImageContext& context, ImageFormat format) {
    return context.folder / (context.recipe_name + std::string(info_of(format).suffix));
}

ImageFile describe_file(const fs::path& path, ImageFormat format) {
    return {path.filename().string(), format, sha256_file(path.string()), fs::file_size(path), {}};
}

bool wants(const std::vector<ImageFormat>& formats, ImageFormat format) {
    return std::ranges::find(formats, format) != formats.end();
}

/// The formats of one side that are made from another, in the order of the table.
std::vector<ImageFile> write_derived(
    const std::vector<ImageFormat>& formats, const WriteInput& input, const ImageContext& context) {
    std::vector<ImageFile> out;
    for (const ImageFormatInfo& info : kImageFormats) {
        const WriteImage write = writer_of(info.format);
        if (write != nullptr && wants(formats, info.format)) {
            const fs::path target = result_path(context, info.format);
            write(input, target);
            out.push_back(describe_file(target, info.format));
        }
    }
    return out;
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

OciWritten write_layout(
    const BakedTree& baked,
    const OciImageSpec& spec,
    const fs::path& layout,
    const ImageContext& context) {
    std::vector<FileTree> below;
    OciImage image;
    image.layers = make_layers(baked, below);
    image.config = image_config(spec.config, context.recipe_name);
    image.ref_name = "latest";
    image.image_name = fmt::format("docker.io/library/{}:latest", context.recipe_name);
    image.epoch = context.settings.epoch;
    image.architecture = context.settings.architecture;
    DirectoryLayerCache cache = open_layer_cache(context.cache);
    return write_oci_layout(
        image,
        layout,
        {.compression = compression_of(spec),
         .jobs = context.jobs,
         .cache = &cache,
         .output_version = std::to_string(kOutputVersion)});
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

DiskFiles write_disk_images(
    const DiskTrees& trees,
    const DiskImageSpec& spec,
    const std::vector<ImageFormat>& formats,
    const ImageContext& context) {
    DiskFiles out{result_path(context, ImageFormat::raw), {}};
    write_raw(trees, spec, out.raw, context);
    out.images = write_derived(
        formats,
        {out.raw,
         trees.root,
         context.recipe_name,
         context.cache,
         spec.compress,
         context.jobs,
         context.console},
        context);
    if (wants(formats, ImageFormat::raw)) {
        out.images.push_back(describe_file(out.raw, ImageFormat::raw));
    }
    return out;
}

std::vector<ImageFile> write_container_images(
    const BakedTree& baked,
    const OciImageSpec& spec,
    const std::vector<ImageFormat>& formats,
    const ImageContext& context) {
    Job job = context.console.start("write container image");
    const fs::path layout = result_path(context, ImageFormat::oci);
    const OciWritten written = write_layout(baked, spec, layout, context);
    const std::uint64_t size = folder_bytes(layout / "blobs");
    std::vector<ImageFile> out = write_derived(
        formats,
        {layout,
         baked.tree,
         context.recipe_name,
         context.cache,
         true,
         context.jobs,
         context.console},
        context);
    job.finish(fmt::format("{} layers, {}", written.layers.size(), format_size(size)));
    if (wants(formats, ImageFormat::oci)) {
        out.insert(
            out.begin(),
            {layout.filename().string(), ImageFormat::oci, written.manifest.digest, size, {}});
    } else {
        fs::remove_all(layout);
    }
    return out;
}

} // namespace kiln
