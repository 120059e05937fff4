// SPDX-License-Identifier: MIT
#include "verify/inspect/image_inspect.hpp"

#include "archive/archive_reader.hpp"
#include "base/error.hpp"
#include "base/io/beneath.hpp"
#include "base/text.hpp"
#include "disk/foreign_disk.hpp"
#include "verify/check/image_check.hpp"
#include "verify/lint/lint.hpp"
#include "verify/lint/lint_rules.hpp"
#include "verify/read/disk_reader.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <utility>

namespace kiln {

namespace {

/// The part of an image that is looked into later goes to $TMPDIR. A layer of a few megabytes may
/// represent any amount of that.
class ContentFilter {
  public:
    using Wanted = bool (*)(std::string_view path, std::uint64_t size);

    /// Files of up to `small` bytes are kept whatever they are called, since a hard link may give
    /// them a wanted name later; `wanted` ones always.
    ContentFilter(std::uint64_t small, Wanted wanted) : small_(small), wanted_(wanted) {}

    bool operator()(std::string_view path, std::uint64_t size) {
        constexpr std::uint64_t kSpared = std::uint64_t{2} << 30U;
        constexpr std::uint64_t kMost = std::uint64_t{8} << 30U;
        const bool is_wanted = wanted_(path, size);
        if (!is_wanted && (size > small_ || total_ + size > kSpared)) {
            return false;
        }
        total_ += size;
        if (total_ > kMost) {
            throw Error(
                fmt::format("the image has more than {} of files to inspect", format_size(kMost)));
        }
        return true;
    }

  private:
    std::uint64_t small_;
    Wanted wanted_;
    std::uint64_t total_ = 0;
};

constexpr std::uint64_t kMaxInspectedBytes = std::uint64_t{64} << 20U;

bool is_inspected(std::string_view path, std::uint64_t size) {
    return size <= kMaxInspectedBytes && is_inspected_file(path);
}

ApplianceOptions appliance_for(const DiskImage& image, bool reads_tree) {
    const std::uint64_t size = require_plain_disk(image.path, image.format);
    ApplianceOptions options;
    options.drives = {{image.path, image.format, GuestDrive::Access::read_only}};
    if (reads_tree) {
        options.scratch_bytes = scratch_size_of_foreign(image.path, size);
    }
    return options;
}

void inspect_disk(
    const DiskImage& image, const InspectOptions& options, Console& console, ImageInfo& info) {
    Appliance appliance(appliance_for(image, options.expected != nullptr), console);
    Job job = console.start(fmt::format("inspect '{}'", image.path.filename().string()));
    const DiskReader reader(appliance);
    info.disk = reader.read_info();
    if (options.expected != nullptr) {
        reader.mount(find_root_partition(*info.disk).number);
        const FileTree tree = reader.read_tree(is_inspected);
        require_equal_trees(*options.expected, tree, fmt::format("'{}'", image.path.string()));
        TreeFiles files(tree);
        info.system = read_system_info(files);
    } else if (reader.mount_system(*info.disk)) {
        GuestFiles files(appliance);
        info.system = read_system_info(files);
    }
    job.finish();
}

void inspect_container(const fs::path& image, const InspectOptions& options, ImageInfo& info) {
    const TempDir contents(temporary_root(), "kiln-inspect");
    constexpr std::uint64_t kSmall = std::uint64_t{1} << 20U;
    OciReadImage oci = read_oci_image(
        image,
        {.ref_name = {},
         .kept = {.folder = contents.path(), .wants = ContentFilter(kSmall, is_inspected)}});
    if (options.expected != nullptr) {
        require_equal_trees(*options.expected, oci.tree, fmt::format("'{}'", image.string()));
    }
    TreeFiles files(oci.tree);
    info.system = read_system_info(files);
    info.container = ContainerInfo{
        .names = std::move(oci.names),
        .created = std::move(oci.created),
        .architecture = std::move(oci.architecture),
        .os = std::move(oci.os),
        .config = std::move(oci.config),
        .manifest = oci.manifest.descriptor.digest,
        .layers = std::move(oci.layers)};
}

/// A root file system as one tar, compressed or not.
FileTree read_root_tar(const fs::path& image, const KeepContent& keep) {
    FileSource file(image);
    DecompressSource source(file, image.string());
    return read_tar_tree(source, image.string(), keep);
}

void inspect_tar(const fs::path& image, const InspectOptions& options, ImageInfo& info) {
    const FileTree tree = read_root_tar(image, ContentFilter(0, is_inspected));
    if (options.expected != nullptr) {
        require_equal_trees(*options.expected, tree, fmt::format("'{}'", image.string()));
    }
    TreeFiles files(tree);
    info.system = read_system_info(files);
}

/// What of an image may be in memory to be linted.
constexpr std::uint64_t kMaxLintedBytes = std::uint64_t{1} << 30U;

void add_linted(std::uint64_t& total, std::uint64_t size) {
    total += size;
    if (total > kMaxLintedBytes) {
        throw Error(fmt::format(
            "the image has more than {} of files to inspect", format_size(kMaxLintedBytes)));
    }
}

/// Takes the contents that are wanted into memory, for when the files behind them go.
void load_linted_contents(FileTree& tree) {
    std::uint64_t total = 0;
    for (auto& [path, entry] : tree.entries()) {
        if (entry.type == FileType::regular && entry.hardlink_to.empty() &&
            is_linted_content(path, entry.size)) {
            add_linted(total, entry.size);
            if (auto content = read_content(tree, entry)) {
                entry.data = std::make_shared<const std::string>(std::move(*content));
            }
        }
        entry.source.clear();
    }
}

DiskContents
read_disk(const fs::path& image, ImageFormat format, const KeepContent& keep, Console& console) {
    Appliance appliance(appliance_for({image, format}, true), console);
    const DiskReader reader(appliance);
    DiskContents out;
    out.disk = reader.read_info();
    if (!reader.mount_system(out.disk)) {
        throw Error(fmt::format("'{}' does not contain a Linux system", image.string()));
    }
    out.tree = reader.read_tree(keep);
    return out;
}

} // namespace

ImageInfo inspect_image(const fs::path& image, const InspectOptions& options, Console& console) {
    ImageInfo info;
    info.path = image.string();
    info.format = options.format ? *options.format : detect_image_format(image);
    if (is_disk(info.format)) {
        require_readable_disk(image, info.format);
        inspect_disk({image, info.format}, options, console, info);
    } else if (info.format == ImageFormat::tar) {
        inspect_tar(image, options, info);
    } else {
        inspect_container(image, options, info);
    }
    return info;
}

FileTree read_image_tree(const fs::path& image, ImageFormat format, Console& console) {
    require_readable_disk(image, format);
    std::uint64_t total = 0;
    const auto keep = [&](std::string_view path, std::uint64_t size) {
        const bool is_wanted = is_linted_content(path, size);
        add_linted(total, is_wanted ? size : 0);
        return is_wanted;
    };
    if (format == ImageFormat::tar) {
        return read_root_tar(image, keep);
    }
    if (!is_disk(format)) {
        const TempDir contents(temporary_root(), "kiln-read");
        OciReadImage oci = read_oci_image(
            image,
            {.ref_name = {},
             .kept = {
                 .folder = contents.path(),
                 .wants = ContentFilter(kMaxScannedSize, is_linted_content)}});
        load_linted_contents(oci.tree);
        return std::move(oci.tree);
    }
    return read_disk(image, format, keep, console).tree;
}

DiskContents read_disk_contents(
    const fs::path& image,
    ImageFormat format,
    const std::function<bool(std::string_view path)>& wanted,
    Console& console) {
    constexpr std::uint64_t kLargestWanted = std::uint64_t{1} << 20U;
    require_readable_disk(image, format);
    std::uint64_t total = 0;
    const auto keep = [&](std::string_view path, std::uint64_t size) {
        const bool is_wanted = is_linted_content(path, size) || is_inspected(path, size) ||
                               (size <= kLargestWanted && wanted(path));
        add_linted(total, is_wanted ? size : 0);
        return is_wanted;
    };
    return read_disk(image, format, keep, console);
}

} // namespace kiln
