// SPDX-License-Identifier: MIT
#include "support/scan_tree.hpp"

#include "base/error.hpp"
#include "base/io/digest.hpp"
#include "base/process/process.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>

namespace kiln::test {

namespace {

FileType type_of(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return FileType::directory;
    case S_IFLNK:
        return FileType::symlink;
    case S_IFCHR:
        return FileType::char_device;
    case S_IFBLK:
        return FileType::block_device;
    case S_IFIFO:
        return FileType::fifo;
    case S_IFSOCK:
        return FileType::socket;
    default:
        return FileType::regular;
    }
}

Xattrs read_xattrs(const std::string& path) {
    Xattrs out;
    std::string names(65536, '\0');
    const ssize_t size = ::llistxattr(path.c_str(), names.data(), names.size());
    names.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    for (std::size_t at = 0; at < names.size();) {
        const std::string name = names.c_str() + at;
        at += name.size() + 1;
        std::string value(65536, '\0');
        const ssize_t length = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
        if (length >= 0) {
            value.resize(static_cast<std::size_t>(length));
            out[name] = value;
        }
    }
    return out;
}

std::string search_path() {
    return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

} // namespace

FileTree scan_tree(const std::filesystem::path& root, Contents contents) {
    FileTree tree;
    const auto add = [&](const std::filesystem::path& path) {
        struct stat status{};
        if (::lstat(path.c_str(), &status) != 0) {
            throw SystemError("cannot stat '" + path.string() + "'");
        }
        Entry entry;
        entry.type = type_of(status.st_mode);
        entry.mode = status.st_mode & 07777U;
        entry.uid = status.st_uid;
        entry.gid = status.st_gid;
        entry.mtime = status.st_mtime;
        entry.xattrs = read_xattrs(path);
        if (entry.type == FileType::regular) {
            entry.size = static_cast<std::uint64_t>(status.st_size);
            entry.source = path;
            if (contents == Contents::digested) {
                entry.content = sha256_file(path);
            }
        } else if (entry.type == FileType::symlink) {
            entry.target = std::filesystem::read_symlink(path);
        }
        entry.device_major = major(status.st_rdev);
        entry.device_minor = minor(status.st_rdev);
        const auto relative = path.lexically_relative(root).string();
        tree.put(relative == "." ? std::string() : relative, std::move(entry));
    };
    add(root);
    for (const auto& item : std::filesystem::recursive_directory_iterator(root)) {
        add(item.path());
    }
    std::map<std::pair<dev_t, ino_t>, std::string> firsts;
    for (auto& [path, entry] : tree.entries()) {
        struct stat status{};
        if (entry.type == FileType::regular && ::lstat(entry.source.c_str(), &status) == 0 &&
            status.st_nlink > 1) {
            const auto [first, is_new] = firsts.try_emplace({status.st_dev, status.st_ino}, path);
            if (!is_new) {
                entry.hardlink_to = first->second;
            }
        }
    }
    return tree;
}

std::string
run_tool(const std::string& program, const std::vector<std::string>& args, int& exit_status) {
    Command command{program, args};
    command.env = clean_environment();
    command.env["PATH"] = search_path();
    command.env["MTOOLS_SKIP_CHECK"] = "1";
    SystemProcessRunner runner;
    const ProcessResult result = runner.run(command);
    exit_status = result.exit_status;
    return result.output;
}

bool has_tool(const std::string& program) {
    const std::string path = search_path();
    for (std::size_t at = 0; at < path.size();) {
        const std::size_t end = std::min(path.find(':', at), path.size());
        if (::access((path.substr(at, end - at) + "/" + program).c_str(), X_OK) == 0) {
            return true;
        }
        at = end + 1;
    }
    if (std::getenv("KILN_REQUIRE_TOOLS") != nullptr) {
        throw Error("'" + program + "' is not installed");
    }
    return false;
}

} // namespace kiln::test
