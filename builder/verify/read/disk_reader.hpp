// SPDX-License-Identifier: MIT
//
// Reads one disk of a running appliance: partitions, file systems, whole trees. Knows nothing of
// records and recipes.
#pragma once

#include "tree/file_tree.hpp"
#include "verify/read/disk_info.hpp"
#include "verify/read/guestfs.hpp"
#include "verify/read/tar_tree.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace kiln {

class DiskReader {
  public:
    /// `drive` counts the appliance's drives from 0. The appliance must outlive the reader.
    explicit DiskReader(Appliance& appliance, std::size_t drive = 0)
        : appliance_(appliance), drive_(drive) {}

    /// Partition table and file systems.
    [[nodiscard]] DiskInfo read_info() const;

    /// Mounts the file system of a partition (0: of the whole disk) read-only at the appliance's
    /// root, in place of what was mounted before.
    void mount(int partition) const;
    /// Mounts the operating system's file systems as its fstab has them; false when there is no
    /// Linux system on the disk.
    [[nodiscard]] bool mount_system(const DiskInfo& info) const;

    /// Everything mounted, as one tree; POSIX ACLs are left out. Needs an appliance with a scratch
    /// disk that has room for all contents.
    [[nodiscard]] FileTree read_tree(const KeepContent& keep) const;

    /// Checks the unmounted file system of a partition (ext4 or FAT) without writing: the lines
    /// that the checker printed when it found faults, else none.
    [[nodiscard]] std::vector<std::string> find_faults(const PartitionInfo& partition) const;

  private:
    [[nodiscard]] std::string inner_partition(int number) const;
    [[nodiscard]] std::string api_partition(int number) const;
    [[nodiscard]] bool mount_single_root(const DiskInfo& info) const;
    [[nodiscard]] bool mount_inspected() const;

    Appliance& appliance_;
    std::size_t drive_;
};

/// The partition that holds the root of an image that kiln made: the largest with an ext4 file
/// system. Throws Error when there is none.
[[nodiscard]] const PartitionInfo& find_root_partition(const DiskInfo& info);

/// Whether an fstab mounts nothing but the root and the EFI system partition from block devices.
[[nodiscard]] bool is_single_file_system(std::string_view fstab);

} // namespace kiln
