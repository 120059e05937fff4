// SPDX-License-Identifier: MIT
#include "verify/read/disk_reader.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "verify/read/image_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <sstream>
#include <utility>

namespace kiln {

namespace {

constexpr std::string_view kStatusMark = "kiln-status ";

/// Splits what a command with "; echo kiln-status $?" printed into its lines and its exit status.
std::pair<std::vector<std::string>, std::uint64_t> split_status(std::string_view output) {
    std::vector<std::string> lines = split_lines(output);
    for (std::string& line : lines) {
        line = printable(line); // names of the disk's files are in it
    }
    if (!lines.empty() && lines.back().starts_with(kStatusMark)) {
        const auto status = parse_unsigned(lines.back().substr(kStatusMark.size()));
        lines.pop_back();
        return {std::move(lines), status.value_or(1)};
    }
    throw Error("unexpected end of a command in the libguestfs appliance")
        .with_details(std::move(lines));
}

bool is_linux_filesystem(const std::optional<FilesystemInfo>& filesystem) {
    constexpr std::array<std::string_view, 5> kTypes{"ext4", "ext3", "ext2", "xfs", "btrfs"};
    return filesystem && std::find(kTypes.begin(), kTypes.end(), filesystem->type) != kTypes.end();
}

/// Takes over a list of alternating keys and values.
std::map<std::string, std::string> to_map(const std::vector<std::string>& list) {
    std::map<std::string, std::string> map;
    for (std::size_t i = 0; i + 1 < list.size(); i += 2) {
        map[list[i]] = list[i + 1];
    }
    return map;
}

} // namespace

std::string DiskReader::inner_partition(int number) const {
    const std::string disk = Appliance::inner_device(drive_);
    return number == 0 ? disk : disk + std::to_string(number);
}

std::string DiskReader::api_partition(int number) const {
    const std::string disk = Appliance::api_device(drive_);
    return number == 0 ? disk : disk + std::to_string(number);
}

DiskInfo DiskReader::read_info() const {
    const std::string device = Appliance::inner_device(drive_);
    // The warnings of both, such as of a disk made larger, are no part of what is parsed. Their
    // exit codes for a disk that has nothing to report are no failure: 1 of sfdisk (no partition
    // table), 2 of blkid (nothing known on the last device), 8 (signatures that contradict each
    // other).
    const std::string table = appliance_.shell(
        fmt::format("sfdisk --json {} 2>/dev/null || [ $? = 1 ]", device), "read the partitions");
    DiskInfo info = trim(table).empty() ? DiskInfo() : parse_sfdisk_json(table);
    const std::string blkid = appliance_.shell(
        fmt::format(
            "blkid -p -o export {0} {0}[0-9]* 2>/dev/null || case $? in 2 | 8) ;; *) exit 1 ;; "
            "esac",
            device),
        "read the file systems");
    add_blkid_export(blkid, info);
    const std::int64_t size =
        guestfs_blockdev_getsize64(appliance_.get(), api_partition(0).c_str());
    info.size_bytes = static_cast<std::uint64_t>(appliance_.check(size, "read the disk's size"));
    if (is_gpt_short(info)) {
        appliance_.console().warning(
            "the backup GPT is not at the end of the disk: the disk was resized");
    }
    return info;
}

void DiskReader::mount(int partition) const {
    guestfs_h* const g = appliance_.get();
    appliance_.check(guestfs_umount_all(g), "unmount");
    const std::string device = api_partition(partition);
    appliance_.check(
        guestfs_mount_ro(g, device.c_str(), "/"), fmt::format("mount partition {}", partition));
}

bool DiskReader::mount_single_root(const DiskInfo& info) const {
    std::vector<int> candidates;
    if (is_linux_filesystem(info.filesystem)) {
        candidates.push_back(0);
    }
    for (const PartitionInfo& partition : info.partitions) {
        if (is_linux_filesystem(partition.filesystem)) {
            candidates.push_back(partition.number);
        }
    }
    guestfs_h* const g = appliance_.get();
    for (const int number : candidates) {
        mount(number);
        if (guestfs_exists(g, "/etc/fstab") != 1 || guestfs_exists(g, "/etc/passwd") != 1) {
            continue;
        }
        const auto fstab = GuestFiles(appliance_).read("etc/fstab");
        return fstab && is_single_file_system(*fstab);
    }
    return false;
}

bool DiskReader::mount_inspected() const {
    guestfs_h* const g = appliance_.get();
    appliance_.check(guestfs_umount_all(g), "unmount");
    const auto roots = appliance_.list(guestfs_inspect_os(g), "look for an operating system");
    for (const std::string& root : roots) {
        const std::string type =
            Appliance::text_or_empty(guestfs_inspect_get_type(g, root.c_str()));
        if (type != "linux") {
            continue;
        }
        // Sorted by mount point, so that parents come first.
        const auto mounts = to_map(appliance_.list(
            guestfs_inspect_get_mountpoints(g, root.c_str()), "read the mount points"));
        for (const auto& [point, device] : mounts) {
            const int status = guestfs_mount_ro(g, device.c_str(), point.c_str());
            if (status == -1 && point == "/") {
                appliance_.fail(fmt::format("mount the root file system '{}'", device));
            }
            if (status == -1) {
                appliance_.console().warning(
                    fmt::format("'{}' could not be mounted at '{}'", device, printable(point)));
            }
        }
        return true;
    }
    return false;
}

bool DiskReader::mount_system(const DiskInfo& info) const {
    // libguestfs' inspection takes 10-15 s without KVM; the usual cloud image needs none of it.
    return mount_single_root(info) || mount_inspected();
}

FileTree DiskReader::read_tree(const KeepContent& keep) const {
    // Large reads and no elevator: each request of the emulated disk has a fixed price.
    static_cast<void>(appliance_.shell(
        "for f in /sys/block/sd*/queue; do echo none >$f/scheduler; echo 4096 >$f/read_ahead_kb; "
        "done",
        "tune the appliance"));
    const std::string scratch = Appliance::scratch_device();
    const std::string output = appliance_.shell(
        fmt::format(
            "tar -C /sysroot --numeric-owner --xattrs --sparse --format=pax "
            "--pax-option=hdrcharset:=BINARY -b 2048 -cf {0} . 2>&1 && "
            "blockdev --flushbufs {0}; echo {1}$?",
            scratch,
            kStatusMark),
        "read the files");
    const auto [lines, status] = split_status(output);
    if (status != 0) {
        throw Error("cannot read the files of the image").with_details(lines);
    }
    FileSource source(appliance_.scratch_file());
    return read_tar_tree(source, "the files of the image", keep);
}

std::vector<std::string> DiskReader::find_faults(const PartitionInfo& partition) const {
    appliance_.check(guestfs_umount_all(appliance_.get()), "unmount");
    const std::string type = partition.filesystem ? partition.filesystem->type : std::string();
    const std::string device = inner_partition(partition.number);
    std::string command;
    if (type == "ext4") {
        command = "e2fsck -f -n " + device;
    } else if (type == "vfat") {
        command = "fsck.fat -n " + device;
    } else {
        return {};
    }
    const std::string output = appliance_.shell(
        fmt::format("{} 2>&1; echo {}$?", command, kStatusMark), "check a file system");
    auto [lines, status] = split_status(output);
    return status == 0 ? std::vector<std::string>() : std::move(lines);
}

const PartitionInfo& find_root_partition(const DiskInfo& info) {
    const PartitionInfo* root = nullptr;
    for (const PartitionInfo& partition : info.partitions) {
        const bool is_ext4 = partition.filesystem && partition.filesystem->type == "ext4";
        if (is_ext4 && (root == nullptr || partition.size_bytes > root->size_bytes)) {
            root = &partition;
        }
    }
    if (root == nullptr) {
        throw Error("the image has no partition with an ext4 file system", ExitCode::differs);
    }
    return *root;
}

bool is_single_file_system(std::string_view fstab) {
    for (const std::string& line : split_lines(fstab)) {
        std::istringstream words(line);
        std::string device;
        std::string point;
        if (!(words >> device >> point) || device.starts_with('#')) {
            continue;
        }
        const bool is_block = device.starts_with("/dev/") || device.find('=') != std::string::npos;
        if (is_block && point.starts_with('/') && point != "/" && point != "/boot/efi") {
            return false;
        }
    }
    return true;
}

} // namespace kiln
