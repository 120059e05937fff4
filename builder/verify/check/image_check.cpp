// SPDX-License-Identifier: MIT
#include "verify/check/image_check.hpp"

#include "archive/archive_reader.hpp"
#include "base/error.hpp"
#include "base/io/beneath.hpp"
#include "base/process/kvm.hpp"
#include "base/text.hpp"
#include "disk/foreign_disk.hpp"
#include "tree/tree_compare.hpp"
#include "verify/check/full_check.hpp"
#include "verify/check/quick_check.hpp"
#include "verify/read/read_fully.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace kiln {

namespace {

/// Decompresses `copy` beside reading `raw`.
void require_equal_content(const fs::path& raw, const DiskImage& copy) {
    FileSource expected(raw);
    FileSource file(copy.path);
    ArchiveLimits limits;
    limits.ratio = std::numeric_limits<std::uint64_t>::max(); // kiln's own: zeros, mostly
    DecompressSource actual(file, copy.path.string(), limits);
    std::vector<std::byte> wanted(std::size_t{1} << 20U);
    std::vector<std::byte> found(wanted.size());
    for (std::uint64_t at = 0;; at += wanted.size()) {
        const std::size_t wanted_size = read_fully(expected, wanted);
        const std::size_t found_size = read_fully(actual, found);
        if (wanted_size != found_size ||
            !std::ranges::equal(
                std::span(wanted).first(wanted_size), std::span(found).first(found_size))) {
            throw Error(
                fmt::format(
                    "'{}' differs from '{}' in the MiB at {}",
                    copy.path.string(),
                    raw.string(),
                    at),
                ExitCode::differs);
        }
        if (wanted_size < wanted.size()) {
            return;
        }
    }
}

void check_files(const DiskToCheck& disk, Console& console, ProcessRunner& runner) {
    check_qcow2(disk.image, runner);
    for (const DiskImage& copy : disk.copies) {
        Job job = console.start(fmt::format("check '{}'", copy.path.filename().string()));
        if (info_of(copy.format).is_compressed) {
            require_equal_content(disk.image.path, copy);
        } else {
            check_qcow2(copy, runner);
            require_equal_bytes(disk.image, copy, runner);
        }
        job.finish(fmt::format("identical to '{}'", disk.image.path.filename().string()));
    }
}

} // namespace

const PartitionInfo& find_esp(const DiskInfo& disk, const fs::path& image) {
    for (const PartitionInfo& partition : disk.partitions) {
        if (partition.filesystem && partition.filesystem->type == "vfat") {
            return partition;
        }
    }
    throw Error(fmt::format("'{}' has no EFI system partition", image.string()), ExitCode::differs);
}

void check_qcow2(const DiskImage& image, ProcessRunner& runner) {
    if (image.format != ImageFormat::qcow2) {
        return;
    }
    const ProcessResult result = runner.run(
        {.program = "qemu-img",
         .args =
             {"check", "-q", "-f", std::string(name_of(image.format)), disk_argument(image.path)},
         .env = clean_environment()});
    if (!result.ok()) {
        throw Error(
            fmt::format("qemu-img check found errors in '{}'", image.path.string()),
            ExitCode::differs)
            .with_details(last_lines(result.output));
    }
}

void require_equal_bytes(const DiskImage& image, const DiskImage& copy, ProcessRunner& runner) {
    const ProcessResult result = runner.run(
        {.program = "qemu-img",
         .args =
             {"compare",
              "-f",
              std::string(name_of(image.format)),
              "-F",
              std::string(name_of(copy.format)),
              disk_argument(image.path),
              disk_argument(copy.path)},
         .env = clean_environment()});
    if (!result.ok()) {
        throw Error(
            fmt::format("'{}' differs from '{}'", copy.path.string(), image.path.string()),
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

CheckLevel default_check_level() {
    return has_kvm() ? CheckLevel::full : CheckLevel::quick;
}

void check_disk(
    const DiskToCheck& disk,
    CheckLevel level,
    unsigned jobs,
    Console& console,
    ProcessRunner& runner) {
    if (level == CheckLevel::none) {
        return;
    }
    check_files(disk, console, runner);
    if (level == CheckLevel::full) {
        full_check(disk, console);
    } else {
        quick_check(disk, jobs, console, runner);
    }
}

} // namespace kiln
