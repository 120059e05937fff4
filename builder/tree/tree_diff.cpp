// SPDX-License-Identifier: MIT
#include "tree/tree_diff.hpp"

namespace kiln {

namespace {

bool is_directory(const FileTree& tree, std::string_view path) {
    const Entry* entry = tree.find(path);
    return entry != nullptr && entry->type == FileType::directory;
}

} // namespace

FileTree diff_trees(const FileTree& before, const FileTree& after) {
    FileTree delta;
    for (const auto& [path, entry] : after.entries()) {
        const Entry* old = before.find(path);
        if (old == nullptr || !old->same_as(entry)) {
            delta.put(path, entry);
        }
    }
    for (const auto& [path, entry] : before.entries()) {
        // Below a path that is gone, or that is not a directory any more, nothing need be said.
        if (after.find(path) == nullptr && is_directory(after, parent_path(path))) {
            Entry whiteout;
            whiteout.type = FileType::whiteout;
            whiteout.mode = 0;
            delta.put(path, whiteout);
        }
    }
    return delta;
}

} // namespace kiln
