// SPDX-License-Identifier: MIT
//
// A volume named by an answer: found (perhaps late), looked at, formatted only if it is blank and
// named, checked for strangers' data, mounted.
#pragma once

#include "firstrun/host/device_probe.hpp"
#include "firstrun/steps/steps.hpp"

#include <optional>
#include <set>
#include <string>

namespace kiln::firstrun {

struct VolumeRequest {
    Key key;
    Key size_key;
    const char* what;  ///< "data volume"
    const char* label; ///< of a file system that first-run makes, and of a logical volume
    fs::path target;
    std::set<std::string> entries; ///< what may lie at the top of a volume of ours
    const char* stamp;             ///< a file that makes any volume ours; relative to its top
};

/// The device if it is there now. Logical volumes that are yet to be made are not.
[[nodiscard]] std::optional<fs::path> find_volume(Context& context, const VolumeRequest& request);
/// Waits for it as long as the answers say; makes a logical volume. Throws Error when it stays
/// away.
[[nodiscard]] fs::path await_volume(Context& context, const VolumeRequest& request);

/// Throws Error unless first-run may use what was found on the device.
void check_device(
    const VolumeRequest& request, const fs::path& device, const DeviceInfo& info, bool was_ours);
/// Throws Error when the mounted file system holds files of somebody else.
void check_content(const Context& context, const VolumeRequest& request);
/// Throws Error when it is full or cannot be written.
void check_space(const Context& context, const VolumeRequest& request);

void mount_volume(Context& context, const VolumeRequest& request);
Reasons volume_reasons(Context& context, const VolumeRequest& request);

} // namespace kiln::firstrun
