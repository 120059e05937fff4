// SPDX-License-Identifier: MIT
#include "check/image_inspect.hpp"

#include "base/error.hpp"
#include "check/disk_reader.hpp"
#include "check/image_check.hpp"
#include "check/lint.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <utility>

namespace kiln {

namespace {

constexpr std::size_t kTarBlock = 512;

bool is_archive(const fs::path& image) {
    std::array<char, kTarBlock> head{};
    FileSource source(image);
    const std::size_t size = source.read(std::as_writable_bytes(std::span(head)));
    const std::string_view text(head.data(), size);
    // POSIX.1-1988 tar, RFC 1952 gzip, RFC 8878 zstd.
    constexpr std::size_t kTarMagic = 257;
    return (size == kTarBlock && text.substr(kTarMagic).starts_with("ustar")) ||
           text.starts_with("\x1f\x8b") || text.starts_with("\x28\xb5\x2f\xfd");
}

ApplianceOptions appliance_for(const DiskImage& image, bool reads_tree, ProcessRunner& runner) {
    ApplianceOptions options;
    options.drives = {{image.path, image.format, GuestDrive::Access::read_only}};
    if (reads_tree) {
        options.scratch_bytes = scratch_size_for(read_virtual_size(image, runner));
    }
    return options;
}

void inspect_disk(
    const DiskImage& image,
    const InspectOptions& options,
    Console& console,
    ProcessRunner& runner,
    ImageInfo& info) {
    Appliance appliance(appliance_for(image, options.expected != nullptr, runner), console);
    Job job = console.start(fmt::format("inspect '{}'", image.path.filename().string()));
    const DiskReader reader(appliance);
    info.disk = reader.read_info();
    if (options.expected != nullptr) {
        reader.mount(find_root_partition(*info.disk).number);
        const FileTree tree = reader.read_tree(
            [](std::string_view path, std::uint64_t) { return is_inspected_file(path); });
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
    OciReadImage oci = read_oci_image(image, {.ref_name = {}, .keep_contents = contents.path()});
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

/// Takes the contents that are wanted into memory, for when the files behind them go.
void load_linted_contents(FileTree& tree) {
    for (auto& [path, entry] : tree.entries()) {
        if (entry.type == FileType::regular && entry.hardlink_to.empty() &&
            is_linted_content(path, entry.size)) {
            if (auto content = read_content(tree, entry)) {
                entry.data = std::make_shared<const std::string>(std::move(*content));
            }
        }
        entry.source.clear();
    }
}

} // namespace

std::string detect_image_format(const fs::path& image) {
    if (fs::is_directory(image)) {
        if (fs::exists(image / "oci-layout")) {
            return "oci";
        }
        throw Error(fmt::format("'{}' is a directory, but no OCI image layout", image.string()))
            .with_hint("an image is a qcow2 or raw disk, an OCI layout directory or a docker "
                       "archive");
    }
    return is_archive(image) ? "docker" : detect_disk_format(image);
}

ImageInfo inspect_image(
    const fs::path& image, const InspectOptions& options, Console& console, ProcessRunner& runner) {
    ImageInfo info;
    info.path = image.string();
    info.format = options.format.empty() ? detect_image_format(image) : options.format;
    if (info.format == "oci" || info.format == "docker") {
        inspect_container(image, options, info);
    } else {
        inspect_disk({image, info.format}, options, console, runner, info);
    }
    return info;
}

FileTree read_image_tree(
    const fs::path& image, const std::string& format, Console& console, ProcessRunner& runner) {
    if (format == "oci" || format == "docker") {
        const TempDir contents(temporary_root(), "kiln-read");
        OciReadImage oci =
            read_oci_image(image, {.ref_name = {}, .keep_contents = contents.path()});
        load_linted_contents(oci.tree);
        return std::move(oci.tree);
    }
    Appliance appliance(appliance_for({image, format}, true, runner), console);
    const DiskReader reader(appliance);
    const DiskInfo disk = reader.read_info();
    if (!reader.mount_system(disk)) {
        throw Error(fmt::format("'{}' holds no Linux system", image.string()));
    }
    return reader.read_tree(is_linted_content);
}

} // namespace kiln
