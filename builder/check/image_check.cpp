// SPDX-License-Identifier: MIT
#include "check/image_check.hpp"

#include "base/beneath.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "check/disk_reader.hpp"
#include "check/tree_compare.hpp"
#include "formats/foreign_disk.hpp"

#include <fmt/format.h>

#include <algorithm>
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

const PartitionInfo& require_esp(const DiskInfo& disk, const fs::path& image) {
    for (const PartitionInfo& partition : disk.partitions) {
        if (partition.filesystem && partition.filesystem->type == "vfat") {
            return partition;
        }
    }
    throw Error(fmt::format("'{}' has no EFI system partition", image.string()), ExitCode::differs);
}

void check_esp(const DiskReader& reader, const DiskInfo& disk, const DiskToCheck& wanted) {
    reader.mount(require_esp(disk, wanted.image.path).number);
    require_equal_trees(
        names_and_contents(*wanted.esp),
        names_and_contents(reader.read_tree(keep_nothing)),
        fmt::format("the EFI system partition of '{}'", wanted.image.path.string()));
}

DiskCheck check_disk(const DiskReader& reader, const DiskToCheck& wanted, Console& console) {
    Job job = console.start(fmt::format("check '{}'", wanted.image.path.filename().string()));
    DiskCheck check;
    check.disk = reader.read_info();
    job.note("file systems");
    check_filesystems(reader, check.disk, wanted.image.path);
    job.note("files");
    if (wanted.esp != nullptr) {
        check_esp(reader, check.disk, wanted);
    }
    reader.mount(find_root_partition(check.disk).number);
    check.root = reader.read_tree(keep_nothing);
    require_equal_trees(*wanted.root, check.root, fmt::format("'{}'", wanted.image.path.string()));
    job.finish(fmt::format("{} paths as recorded", check.root.entries().size()));
    return check;
}

void check_files(const DiskToCheck& disk, Console& console, ProcessRunner& runner) {
    check_qcow2(disk.image, runner);
    for (const DiskImage& twin : disk.twins) {
        Job job = console.start(fmt::format("check '{}'", twin.path.filename().string()));
        check_qcow2(twin, runner);
        require_equal_bytes(disk.image, twin, runner);
        job.finish(fmt::format("same bytes as '{}'", disk.image.path.filename().string()));
    }
}

} // namespace

void check_qcow2(const DiskImage& image, ProcessRunner& runner) {
    if (image.format != "qcow2") {
        return;
    }
    const ProcessResult result = runner.run(
        {.program = "qemu-img",
         .args = {"check", "-q", "-f", "qcow2", disk_argument(image.path)},
         .env = clean_environment()});
    if (!result.ok()) {
        throw Error(
            fmt::format("'{}' is damaged, says qemu-img check", image.path.string()),
            ExitCode::differs)
            .with_details(last_lines(result.output));
    }
}

void require_equal_bytes(const DiskImage& image, const DiskImage& twin, ProcessRunner& runner) {
    const ProcessResult result = runner.run(
        {.program = "qemu-img",
         .args =
             {"compare",
              "-f",
              image.format,
              "-F",
              twin.format,
              disk_argument(image.path),
              disk_argument(twin.path)},
         .env = clean_environment()});
    if (!result.ok()) {
        throw Error(
            fmt::format("'{}' differs from '{}'", twin.path.string(), image.path.string()),
            ExitCode::differs)
            .with_details(last_lines(result.output));
    }
}

FileTree names_and_contents(const FileTree& tree) {
    FileTree out;
    Entry top;
    top.type = FileType::directory;
    out.put("", top);
    for (const auto& [path, entry] : tree.entries()) {
        Entry kept;
        kept.type = entry.type;
        kept.size = entry.size;
        kept.content = entry.content;
        out.put(path, kept);
    }
    return out;
}

void require_equal_trees(
    const FileTree& expected, const FileTree& actual, const std::string& what) {
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
            "{} differs from its record in {} path{}",
            what,
            comparison.count,
            comparison.count == 1 ? "" : "s"),
        ExitCode::differs)
        .with_details(std::move(comparison.lines));
}

std::uint64_t scratch_size_for(std::uint64_t virtual_size) {
    // Headers and padding of a tar: under 2 KiB a file, and no file system has more inodes than one
    // in 4 KiB by far. The disk is sparse.
    constexpr std::uint64_t kSlack = std::uint64_t{256} << 20U;
    return 2 * virtual_size + kSlack;
}

std::uint64_t scratch_size_of_foreign(const fs::path& image, std::uint64_t virtual_size) {
    constexpr std::uint64_t kLeast = std::uint64_t{4} << 30U;
    constexpr std::uint64_t kRatio = 64; // compressed clusters of a system: two to four times
    const std::uint64_t by_file = std::max(kLeast, kRatio * RegularFile(image).size());
    // Room that others have, too: the disk of $TMPDIR is never filled to its end.
    const std::uint64_t by_disk = fs::space(temporary_root()).available / 4 * 3;
    return std::min({scratch_size_for(virtual_size), by_file, by_disk});
}

std::vector<DiskCheck>
check_disks(const std::vector<DiskToCheck>& disks, Console& console, ProcessRunner& runner) {
    std::vector<DiskCheck> checks;
    if (disks.empty()) {
        return checks;
    }
    ApplianceOptions options;
    for (const DiskToCheck& disk : disks) {
        check_files(disk, console, runner);
        options.drives.push_back(
            {disk.image.path, disk.image.format, GuestDrive::Access::read_only});
        options.scratch_bytes = std::max(
            options.scratch_bytes,
            scratch_size_for(require_plain_disk(disk.image.path, disk.image.format)));
    }
    Appliance appliance(options, console);
    for (std::size_t number = 0; number < disks.size(); ++number) {
        checks.push_back(check_disk(DiskReader(appliance, number), disks[number], console));
    }
    return checks;
}

} // namespace kiln
