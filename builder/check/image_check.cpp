// SPDX-License-Identifier: MIT
#include "check/image_check.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "check/disk_reader.hpp"
#include "check/tree_compare.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <utility>
#include <vector>

namespace kiln {

namespace {

void check_filesystems(const DiskReader& reader, const DiskInfo& disk, const fs::path& image) {
    for (const PartitionInfo& partition : disk.partitions) {
        auto faults = reader.find_faults(partition);
        if (!faults.empty()) {
            throw Error(
                fmt::format(
                    "the file system of partition {} of '{}' has faults",
                    partition.number,
                    image.string()),
                ExitCode::differs)
                .with_details(std::move(faults));
        }
    }
}

} // namespace

void check_qcow2(const DiskImage& image, ProcessRunner& runner) {
    if (image.format != "qcow2") {
        return;
    }
    const ProcessResult result = runner.run(
        {.program = "qemu-img",
         .args = {"check", "-q", "-f", "qcow2", fs::absolute(image.path).string()},
         .env = clean_environment()});
    if (!result.ok()) {
        throw Error(
            fmt::format("'{}' is damaged, says qemu-img check", image.path.string()),
            ExitCode::differs)
            .with_details(last_lines(result.output));
    }
}

void require_equal_trees(
    const FileTree& expected, const FileTree& actual, const std::string& image) {
    TreeComparison comparison = compare_trees(expected, actual);
    if (comparison.equal()) {
        return;
    }
    const std::size_t hidden = comparison.count - comparison.lines.size();
    if (hidden > 0) {
        comparison.lines.push_back(fmt::format("and {} more", hidden));
    }
    throw Error(
        fmt::format(
            "'{}' differs from its record in {} path{}",
            image,
            comparison.count,
            comparison.count == 1 ? "" : "s"),
        ExitCode::differs)
        .with_details(std::move(comparison.lines));
}

std::uint64_t read_virtual_size(const DiskImage& image, ProcessRunner& runner) {
    const std::string output = runner.run_checked(
        {.program = "qemu-img",
         .args = {"info", "--output=json", "-f", image.format, fs::absolute(image.path).string()},
         .env = clean_environment(),
         .separate_stderr = true});
    try {
        return nlohmann::json::parse(output).at("virtual-size").get<std::uint64_t>();
    } catch (const nlohmann::json::exception& error) {
        throw Error(fmt::format("unexpected output of qemu-img info: {}", error.what()));
    }
}

std::uint64_t scratch_size_for(std::uint64_t virtual_size) {
    // Headers and padding of a tar: under 2 KiB a file, and no file system has more inodes than one
    // in 4 KiB by far. The disk is sparse.
    constexpr std::uint64_t kSlack = std::uint64_t{256} << 20U;
    return 2 * virtual_size + kSlack;
}

DiskCheck check_disk(
    const DiskImage& image,
    const FileTree& expected_root,
    Console& console,
    ProcessRunner& runner) {
    check_qcow2(image, runner);
    ApplianceOptions options;
    options.drives = {{image.path, image.format, GuestDrive::Access::read_only}};
    options.scratch_bytes = scratch_size_for(read_virtual_size(image, runner));
    Appliance appliance(options, console);

    Job job = console.start(fmt::format("check '{}'", image.path.filename().string()));
    const DiskReader reader(appliance);
    DiskCheck check;
    check.disk = reader.read_info();
    job.note("file systems");
    check_filesystems(reader, check.disk, image.path);
    job.note("files");
    reader.mount(find_root_partition(check.disk).number);
    check.root = reader.read_tree(keep_nothing);
    require_equal_trees(expected_root, check.root, image.path.string());
    job.finish(fmt::format("{} paths as recorded", check.root.entries().size()));
    return check;
}

} // namespace kiln
