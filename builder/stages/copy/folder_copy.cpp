// SPDX-License-Identifier: MIT
#include "stages/copy/folder_copy.hpp"

#include <fmt/format.h>

namespace kiln {

void copy_folder(
    const HostFolder& folder,
    const std::string& to,
    const TreeRoot& tree,
    const OwnershipOf& ownership_of,
    bool own_directories) {
    for (const auto& [path, entry] : folder.tree.entries()) {
        const std::string target = path.empty() ? to : (to == "/" ? "/" : to + "/") + path;
        const Ownership ownership = ownership_of(path, entry.mode);
        switch (entry.type) {
        case FileType::directory:
            if (own_directories || !tree.exists(target)) {
                tree.make_directory(target, ownership);
            }
            break;
        case FileType::symlink:
            tree.make_link(target, entry.target, ownership);
            break;
        case FileType::regular: {
            const auto content = open_unchanged({entry.source, entry.size, entry.content});
            tree.write_file(target, *content, ownership);
            break;
        }
        default:
            throw Error(fmt::format("'{}' is not a file, directory or link", path));
        }
    }
}

} // namespace kiln
