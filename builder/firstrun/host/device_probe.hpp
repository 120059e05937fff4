// SPDX-License-Identifier: MIT
//
// What is on a block device, before anything touches it.
#pragma once

#include "firstrun/host/host.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::firstrun {

enum class DeviceContent {
    blank,
    file_system, ///< one that first-run mounts
    foreign,     ///< a file system, container or signature that it leaves alone
    partitioned,
    lvm_member,
    unexplained, ///< no signature, but not zeros everywhere either
};

struct DeviceInfo {
    DeviceContent content = DeviceContent::foreign;
    std::string type; ///< of the file system or signature
    std::string label;
    std::uint64_t size = 0;
    bool read_only = false;
};

/// NAME=value lines of `blkid -o export`.
[[nodiscard]] std::map<std::string, std::string> parse_export(std::string_view text);

/// `exit_status` and `output` are those of `blkid --probe --output export`.
[[nodiscard]] DeviceInfo explain_probe(int exit_status, std::string_view output);

/// Offsets of the pieces of a device of `size` bytes that must be zeros when it is called blank:
/// its beginning, its end and 63 places between, 1 MiB each (less when the device is smaller).
[[nodiscard]] std::vector<std::uint64_t> looked_at(std::uint64_t size);

/// Whether these pieces of the open device hold zeros only. Throws SystemError.
[[nodiscard]] bool is_zeros(int fd, std::uint64_t size, const fs::path& device);

[[nodiscard]] DeviceInfo probe_device(Host& host, const fs::path& device);

} // namespace kiln::firstrun
