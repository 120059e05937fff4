// SPDX-License-Identifier: MIT
//
// What is on a block device, before anything touches it.
#pragma once

#include "firstrun/host.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace kiln::firstrun {

enum class DeviceContent {
    blank,
    file_system, ///< one that first-run mounts
    foreign,     ///< a file system, container or signature that it leaves alone
    partitioned,
    lvm_member,
    unexplained, ///< no signature, but not zeros either
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

[[nodiscard]] DeviceInfo probe_device(Host& host, const fs::path& device);

} // namespace kiln::firstrun
