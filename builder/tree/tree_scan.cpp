// SPDX-License-Identifier: MIT
#include "tree/tree_scan.hpp"

#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/parallel.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <climits>
#include <utility>
#include <vector>

namespace kiln {

namespace {

constexpr std::size_t kShownOfPath = 100;
constexpr std::string_view kOverlayPrefixes[] = {"user.overlay.", "trusted.overlay."};
/// As mounts with "userxattr" write it. What a program of the tree sets under this name is on
/// disk as "user.overlay.overlay.opaque" and hides nothing.
constexpr std::string_view kOpaque = "user.overlay.opaque";

bool is_overlay_mark(std::string_view name) {
    return std::any_of(
        std::begin(kOverlayPrefixes), std::end(kOverlayPrefixes), [&](std::string_view prefix) {
            return name.starts_with(prefix);
        });
}

std::string read_xattr(const fs::path& path, const char* name) {
    std::string value(256, '\0');
    while (true) {
        const ssize_t size = ::lgetxattr(path.c_str(), name, value.data(), value.size());
        if (size >= 0) {
            value.resize(static_cast<std::size_t>(size));
            return value;
        }
        if (errno != ERANGE) {
            throw SystemError(
                fmt::format("cannot read attribute '{}' of '{}'", name, path.string()));
        }
        value.resize(value.size() * 4);
    }
}

/// All attributes of a path; most have none, so one call decides.
Xattrs read_xattrs(const fs::path& path) {
    std::string names(4096, '\0');
    const ssize_t size = ::llistxattr(path.c_str(), names.data(), names.size());
    if (size < 0 && errno != ENOTSUP) {
        throw SystemError(fmt::format("cannot list the attributes of '{}'", path.string()));
    }
    Xattrs out;
    for (std::size_t at = 0; size > 0 && at < static_cast<std::size_t>(size);) {
        const std::string name(names.c_str() + at);
        out[name] = read_xattr(path, name.c_str());
        at += name.size() + 1;
    }
    return out;
}

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

std::string read_link(const fs::path& path) {
    std::array<char, 4097> target{};
    const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
    if (size < 0) {
        throw SystemError(fmt::format("cannot read the link '{}'", path.string()));
    }
    return {target.data(), static_cast<std::size_t>(size)};
}

class Scanner {
  public:
    Scanner(const fs::path& root, const ScanOptions& options) : root_(root), options_(options) {}

    FileTree run() {
        visit("");
        hash_contents();
        return std::move(tree_);
    }

  private:
    void visit(const std::string& path) {
        if (path.size() >= PATH_MAX) {
            throw Error(fmt::format(
                "path too long in the tree ({} bytes): '/{}...'",
                path.size(),
                printable(path, kShownOfPath)));
        }
        const fs::path on_disk = path.empty() ? root_ : root_ / path;
        struct stat info{};
        if (::lstat(on_disk.c_str(), &info) != 0) {
            throw SystemError(fmt::format("cannot examine '{}'", on_disk.string()));
        }
        Entry entry = entry_of(path, on_disk, info);
        if (entry.type == FileType::socket) {
            return;
        }
        const bool is_directory = entry.type == FileType::directory;
        if (entry.type == FileType::regular && info.st_nlink > 1) {
            links_[{info.st_dev, info.st_ino}].push_back(path);
        }
        tree_.put(path, std::move(entry));
        if (is_directory) {
            for (const auto& child : fs::directory_iterator(on_disk)) {
                const std::string name = child.path().filename().string();
                visit(path.empty() ? name : fmt::format("{}/{}", path, name));
            }
        }
    }

    Entry entry_of(const std::string& path, const fs::path& on_disk, const struct stat& info) {
        Entry entry;
        entry.type = type_of(info.st_mode);
        entry.mode = info.st_mode & 07777U;
        entry.uid = options_.ids.to_tree(info.st_uid);
        entry.gid = options_.ids.to_tree(info.st_gid);
        entry.mtime = options_.mtime ? options_.mtime(path, entry.type, info.st_mtim.tv_sec)
                                     : info.st_mtim.tv_sec;
        if (entry.type == FileType::symlink) {
            entry.target = read_link(on_disk);
            entry.mode = 0777;
        } else if (entry.type == FileType::regular) {
            entry.size = static_cast<std::uint64_t>(info.st_size);
            count_bytes(path, entry.size);
            entry.source = on_disk;
        } else if (entry.type == FileType::char_device || entry.type == FileType::block_device) {
            entry.device_major = major(info.st_rdev);
            entry.device_minor = minor(info.st_rdev);
        }
        if (options_.overlay_marks && entry.type == FileType::char_device && info.st_rdev == 0) {
            Entry gone;
            gone.type = FileType::whiteout;
            gone.mode = 0;
            return gone;
        }
        take_xattrs(on_disk, entry);
        return entry;
    }

    /// A file without content takes no disk, and years to be read.
    void count_bytes(const std::string& path, std::uint64_t size) {
        if (size > kLargestTree - bytes_) {
            throw Error(
                fmt::format("the tree has files of more than {}", format_size(kLargestTree)))
                .with_details({fmt::format(
                    "'/{}' has {}", printable(path, kShownOfPath), format_size(size))});
        }
        bytes_ += size;
    }

    void take_xattrs(const fs::path& on_disk, Entry& entry) const {
        for (auto& [name, value] : read_xattrs(on_disk)) {
            if (!is_overlay_mark(name)) {
                entry.xattrs[name] = options_.ids.xattr_to_tree(name, value);
            } else if (options_.overlay_marks && name == kOpaque && value == "y") {
                entry.opaque = true;
            }
        }
    }

    void hash_contents() {
        std::vector<Entry*> files;
        join_links();
        for (auto& [path, entry] : tree_.entries()) {
            if (entry.type == FileType::regular && entry.hardlink_to.empty()) {
                files.push_back(&entry);
            }
        }
        parallel_for(files.size(), options_.jobs, [&](std::size_t i) {
            files[i]->content = sha256_file(files[i]->source.string());
        });
        for (auto& [path, entry] : tree_.entries()) {
            if (!entry.hardlink_to.empty()) {
                entry.content = tree_.find(entry.hardlink_to)->content;
            }
        }
    }

    /// REPRO: directory order decides who is visited first, path order decides who is first.
    void join_links() {
        for (auto& [inode, paths] : links_) {
            std::sort(paths.begin(), paths.end());
            for (std::size_t i = 1; i < paths.size(); ++i) {
                Entry& entry = tree_.entries().at(paths[i]);
                entry.hardlink_to = paths[0];
                entry.mtime = tree_.entries().at(paths[0]).mtime;
            }
        }
    }

    const fs::path& root_;
    const ScanOptions& options_;
    FileTree tree_;
    std::uint64_t bytes_ = 0;
    std::map<std::pair<dev_t, ino_t>, std::vector<std::string>> links_;
};

} // namespace

FileTree scan_tree(const std::filesystem::path& root, const ScanOptions& options) {
    return Scanner(root, options).run();
}

void apply_times(const std::filesystem::path& root, const FileTree& tree) {
    // Children before parents is not needed: setting a child's time does not touch its directory.
    for (const auto& [path, entry] : tree.entries()) {
        if (entry.type == FileType::whiteout) {
            continue;
        }
        const fs::path on_disk = path.empty() ? root : root / path;
        const std::array<timespec, 2> times{{{entry.mtime, 0}, {entry.mtime, 0}}};
        if (::utimensat(AT_FDCWD, on_disk.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
            throw SystemError(fmt::format("cannot set the time of '{}'", on_disk.string()));
        }
    }
}

} // namespace kiln
