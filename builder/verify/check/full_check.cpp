// SPDX-License-Identifier: MIT
#include "verify/check/full_check.hpp"

#include "base/error.hpp"
#include "disk/foreign_disk.hpp"
#include "verify/read/disk_reader.hpp"
#include "verify/read/guestfs.hpp"

#include <fmt/format.h>

#include <utility>

namespace kiln {

namespace {

void check_filesystems(const DiskReader& reader, const DiskInfo& disk, const fs::path& image) {
    for (const PartitionInfo& partition : disk.partitions) {
        auto faults = reader.find_faults(partition);
        if (!faults.empty()) {
            throw Error(
                fmt::format(
                    "the file system on partition {} of '{}' has errors",
                    partition.number,
                    image.string()),
                ExitCode::differs)
                .with_details(std::move(faults));
        }
    }
}

void check_esp(const DiskReader& reader, const DiskInfo& disk, const DiskToCheck& wanted) {
    reader.mount(find_esp(disk, wanted.image.path).number);
    require_equal_trees(
        names_and_contents(*wanted.esp),
        names_and_contents(reader.read_tree(keep_nothing)),
        fmt::format("the EFI system partition of '{}'", wanted.image.path.string()));
}

} // namespace

DiskCheck full_check(const DiskToCheck& wanted, Console& console) {
    ApplianceOptions options;
    options.drives = {{wanted.image.path, wanted.image.format, GuestDrive::Access::read_only}};
    options.scratch_bytes =
        scratch_size_for(require_plain_disk(wanted.image.path, wanted.image.format));
    Appliance appliance(options, console);
    const DiskReader reader(appliance);
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

} // namespace kiln
