// SPDX-License-Identifier: MIT
#include "bake/checked_disks.hpp"

#include "base/io/paths.hpp"
#include "build/store.hpp"

#include <fmt/format.h>

#include <array>

namespace kiln {

CheckedDisks::CheckedDisks(const fs::path& root) : folder_(root / "checked") {
    make_private_folder(folder_);
}

fs::path CheckedDisks::path_of(const Digest& subject, CheckLevel level) const {
    return folder_ /
           fmt::format("{}.{}", subject.hex(), kCheckLevels.at(static_cast<std::size_t>(level)));
}

Digest CheckedDisks::subject(const std::vector<ImageFile>& files, const DiskTrees& trees) {
    FieldHasher hasher("kiln.checked-disk.v1"); // rises when a check learns to find more
    for (const ImageFile& file : files) {
        hasher.field("format", name_of(file.format)).field("file", file.digest);
    }
    return hasher.field("root", trees.root.digest()).field("esp", trees.esp.digest()).finish();
}

bool CheckedDisks::contains(const Digest& subject, CheckLevel level) const {
    for (const CheckLevel passed : {CheckLevel::quick, CheckLevel::full}) {
        const fs::path path = path_of(subject, passed);
        if (passed >= level && fs::exists(path)) {
            set_used_now(path);
            return true;
        }
    }
    return false;
}

void CheckedDisks::add(const Digest& subject, CheckLevel level) const {
    AtomicFile(path_of(subject, level), 0600).commit();
}

void CheckedDisks::prune(std::int64_t time) const {
    remove_unused(folder_, time);
}

} // namespace kiln
