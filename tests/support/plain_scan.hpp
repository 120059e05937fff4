// SPDX-License-Identifier: MIT
//
// Reads a directory of the host into a FileTree by plain system calls: the tests' own eye, apart
// from the program's.
#pragma once

#include "base/error.hpp"
#include "base/file.hpp"
#include "formats/file_tree.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <map>
#include <set>
#include <string>
#include <utility>

namespace kiln::test {

inline Xattrs scan_xattrs(const fs::path& path) {
    Xattrs out;
    std::string names(65536, '\0');
    const ssize_t size = ::llistxattr(path.c_str(), names.data(), names.size());
    names.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    for (std::size_t at = 0; at < names.size(); at = names.find('\0', at) + 1) {
        const std::string name = names.c_str() + at;
        std::string value(65536, '\0');
        const ssize_t length = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
        if (length >= 0) {
            out[name] = value.substr(0, static_cast<std::size_t>(length));
        }
    }
    return out;
}

inline Entry scan_entry(const fs::path& path, const struct stat& status) {
    Entry entry;
    entry.mode = status.st_mode & 07777U;
    entry.uid = status.st_uid;
    entry.gid = status.st_gid;
    entry.mtime = status.st_mtime;
    entry.xattrs = scan_xattrs(path);
    if (S_ISREG(status.st_mode)) {
        entry.size = static_cast<std::uint64_t>(status.st_size);
        entry.content = sha256_file(path);
    } else if (S_ISDIR(status.st_mode)) {
        entry.type = FileType::directory;
    } else if (S_ISLNK(status.st_mode)) {
        entry.type = FileType::symlink;
        entry.target = fs::read_symlink(path).string();
    } else if (S_ISFIFO(status.st_mode)) {
        entry.type = FileType::fifo;
    } else {
        entry.type = S_ISCHR(status.st_mode) ? FileType::char_device : FileType::block_device;
        entry.device_major = ::major(status.st_rdev);
        entry.device_minor = ::minor(status.st_rdev);
    }
    return entry;
}

inline FileTree scan_tree(const fs::path& root) {
    std::set<std::string> paths = {""};
    for (const auto& item : fs::recursive_directory_iterator(root)) {
        paths.insert(item.path().lexically_relative(root).string());
    }
    FileTree tree;
    std::map<std::pair<dev_t, ino_t>, std::string> first_names;
    for (const std::string& path : paths) {
        const fs::path full = path.empty() ? root : root / path;
        struct stat status{};
        if (::lstat(full.c_str(), &status) != 0) {
            throw SystemError("cannot look at '" + full.string() + "'");
        }
        Entry entry = scan_entry(full, status);
        if (S_ISREG(status.st_mode) && status.st_nlink > 1) {
            const auto [first, is_new] =
                first_names.try_emplace({status.st_dev, status.st_ino}, path);
            entry.hardlink_to = is_new ? "" : first->second;
        }
        tree.put(path, std::move(entry));
    }
    return tree;
}

} // namespace kiln::test
