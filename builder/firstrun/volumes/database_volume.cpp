// SPDX-License-Identifier: MIT
//
// Step: a separate volume for the databases, if the answers name one. It is mounted before
// anything is made below /data/mysql.
#include "base/error.hpp"
#include "firstrun/host/locations.hpp"
#include "firstrun/volumes/volume_device.hpp"

#include <fmt/format.h>

namespace kiln::firstrun {

namespace {

const VolumeRequest& database_volume() {
    static const VolumeRequest kRequest{
        Key::database_volume,
        Key::database_volume_size,
        "database volume",
        "pause-mysql",
        locations::kDatabaseRoot,
        {"mysql", ".new"},
        "mysql/ibdata1"};
    return kRequest;
}

bool is_wanted(const Context& context) {
    return context.mode == Mode::machine && context.answers.has(Key::database_volume);
}

} // namespace

Reasons database_volume_needed(Context& context) {
    return is_wanted(context) ? volume_reasons(context, database_volume()) : Reasons();
}

void apply_database_volume(Context& context) {
    if (!is_wanted(context)) {
        return;
    }
    Host& host = context.host;
    if (!host.is_mount_point(locations::kDatabaseRoot) && host.exists(locations::kDataDirectory)) {
        throw Error(
            "the data volume already contains databases, which a database volume would hide")
            .with_hint(fmt::format(
                "move '{}' to the new volume by hand, or remove the answer 'database_volume'",
                locations::kDataDirectory));
    }
    if (!host.exists(locations::kDatabaseRoot)) {
        host.make_directory(locations::kDatabaseRoot, {}, 0755);
    }
    mount_volume(context, database_volume());
}

} // namespace kiln::firstrun
