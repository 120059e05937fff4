// SPDX-License-Identifier: MIT
//
// Step: the data volume at /data. In a container it is whatever the engine mounts there.
#include "base/error.hpp"
#include "firstrun/host/locations.hpp"
#include "firstrun/volumes/volume_device.hpp"

#include <fmt/format.h>

namespace kiln::firstrun {

namespace {

const VolumeRequest& data_volume() {
    static const VolumeRequest kRequest{
        Key::volume,
        Key::volume_size,
        "data volume",
        "pause-data",
        locations::kData,
        {"pause", "mysql", "state", "home"},
        "state/complete"};
    return kRequest;
}

bool is_on_root(const Context& context) {
    return context.mode == Mode::container || context.answers.text(Key::volume) == "root";
}

void check_directory(const Context& context) {
    const auto info = context.host.look(locations::kData);
    if (!info || info->type != FileInfo::Type::directory) {
        throw Error(fmt::format("directory '{}' not found", locations::kData))
            .with_hint("mount a volume there with 'docker run -v pause-data:/data ...'");
    }
    check_content(context, data_volume());
    check_space(context, data_volume());
}

/// Numbers on the volume are what an older image wrote; they must mean the same users here.
void check_owner(const Context& context, const char* path, std::string_view user) {
    const auto info = context.host.look(path);
    const Account& account = context.accounts.get(user);
    if (info && info->owner.uid != account.uid && !context.host.list(path).empty()) {
        throw Error(fmt::format(
                        "'{}' on the data volume is owned by {}, expected {} ({})",
                        path,
                        context.accounts.name_of(info->owner.uid),
                        user,
                        account.uid))
            .with_hint("the volume was written by an image with other user ids, or is not a PAUSE "
                       "volume; if it is yours, run chown on the tree");
    }
}

} // namespace

Reasons volume_needed(Context& context) {
    if (!is_on_root(context)) {
        return volume_reasons(context, data_volume());
    }
    check_directory(context);
    return {};
}

void apply_volume(Context& context) {
    if (!is_on_root(context)) {
        mount_volume(context, data_volume());
    } else {
        check_directory(context);
        if (context.mode == Mode::container && !context.host.is_mount_point(locations::kData)) {
            context.report.warning(fmt::format(
                "{} is not a volume: all data will be lost with this container", locations::kData));
        }
    }
    check_owner(context, locations::kPause, "pause");
    check_owner(context, locations::kDataDirectory, "mysql");
}

} // namespace kiln::firstrun
