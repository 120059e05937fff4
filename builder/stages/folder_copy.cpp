// SPDX-License-Identifier: MIT
#include "stages/folder_copy.hpp"

#include "formats/tree_scan.hpp"

#include <fmt/format.h>

namespace kiln {

namespace {

constexpr std::uint32_t kExecutableMode = 0755;
constexpr std::uint32_t kPlainMode = 0644;

/// The folder, or that which a link leads to, as a tree in which only what counts is different from
/// path to path.
FileTree read_folder(const fs::path& folder) {
    FileTree tree = scan_tree(
        fs::canonical(folder), {.jobs = 1, .mtime = [](const std::string&, FileType, std::int64_t) {
                                    return std::int64_t{0};
                                }});
    tree.erase_tree(".git");
    for (auto& [path, entry] : tree.entries()) {
        const bool executable = entry.type == FileType::directory || (entry.mode & 0100U) != 0;
        entry.mode = executable ? kExecutableMode : kPlainMode;
        entry.uid = 0;
        entry.gid = 0;
        entry.hardlink_to.clear();
        entry.xattrs.clear();
    }
    return tree;
}

} // namespace

Digest folder_digest(const fs::path& folder) {
    return read_folder(folder).digest();
}

void copy_folder(
    const fs::path& folder,
    const std::string& to,
    const TreeRoot& tree,
    const OwnershipOf& ownership_of,
    bool own_directories) {
    const FileTree source = read_folder(folder);
    for (const auto& [path, entry] : source.entries()) {
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
            const auto content = open_content(entry);
            tree.write_file(target, *content, ownership);
            break;
        }
        default:
            throw Error(
                fmt::format("'{}' is neither file, directory nor link", (folder / path).string()));
        }
    }
}

} // namespace kiln
