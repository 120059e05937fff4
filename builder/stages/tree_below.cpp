// SPDX-License-Identifier: MIT
#include "stages/tree_below.hpp"

namespace kiln {

const Entry* entry_below(const StageContext& context, const std::string& path) {
    return context.below == nullptr ? nullptr : context.below->find(context.tree.real_path(path));
}

bool was_in_tree_below(
    const StageContext& context, const std::string& path, const struct stat& info) {
    const Entry* before = entry_below(context, path);
    if (before != nullptr && !before->hardlink_to.empty()) {
        before = context.below->find(before->hardlink_to);
    }
    if (before == nullptr || S_ISDIR(info.st_mode)) {
        return false;
    }
    const bool same_kind = S_ISREG(info.st_mode) == (before->type == FileType::regular) &&
                           S_ISLNK(info.st_mode) == (before->type == FileType::symlink);
    const bool same_size = before->type != FileType::regular ||
                           before->size == static_cast<std::uint64_t>(info.st_size);
    return same_kind && same_size && info.st_mtim.tv_sec == before->mtime &&
           info.st_mtim.tv_nsec == 0;
}

} // namespace kiln
