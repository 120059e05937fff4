// SPDX-License-Identifier: MIT
#include "stages/host_files.hpp"

#include "base/process/kernel_files.hpp"
#include "tree/tree_scan.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <set>
#include <utility>

namespace kiln {

namespace {

constexpr std::uint32_t kExecutableMode = 0755;
constexpr std::uint32_t kPlainMode = 0644;

/// Walks a folder on one file system and those that are mounted in it.
class FolderCheck {
  public:
    void look_at(const fs::path& path) {
        struct stat info{};
        if (::lstat(path.c_str(), &info) != 0) {
            throw SystemError(fmt::format("cannot examine '{}'", path.string()));
        }
        if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode) && !S_ISLNK(info.st_mode)) {
            throw Error(fmt::format("'{}' is not a file, directory or link", path.string()));
        }
        // A link's own file system does not matter, and statfs(2) would follow it.
        if (!S_ISLNK(info.st_mode) && devices_.insert(info.st_dev).second) {
            check_host_file(path);
        }
    }

  private:
    std::set<dev_t> devices_;
};

FileTree read_folder(const fs::path& folder) {
    check_host_folder(folder);
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

Error changed(const fs::path& path) {
    return Error(fmt::format("'{}' changed while it was being read", path.string()))
        .with_hint("run kiln again when no program is writing to it");
}

class UnchangedSource final : public Source {
  public:
    UnchangedSource(UniqueFd fd, const HostFile& expected)
        : fd_(std::move(fd)), expected_(expected) {}

    std::size_t read(std::span<std::byte> buffer) override {
        const std::size_t count = read_some(fd_.get(), buffer, expected_.path);
        digest_.write(buffer.first(count));
        if (digest_.size() > expected_.size) {
            throw changed(expected_.path);
        }
        if (count == 0 && !ended_) {
            ended_ = true;
            if (digest_.size() != expected_.size || digest_.digest() != expected_.digest) {
                throw changed(expected_.path);
            }
        }
        return count;
    }

  private:
    UniqueFd fd_;
    HostFile expected_;
    DigestSink digest_;
    bool ended_ = false;
};

} // namespace

void check_host_file(const fs::path& file) {
    if (const std::string_view kernel = kernel_file_system(file); !kernel.empty()) {
        throw Error(fmt::format("'{}' is in a kernel file system ({})", file.string(), kernel))
            .with_hint("its files have no fixed content: copy the files that you need to another "
                       "directory");
    }
}

void check_host_folder(const fs::path& folder) {
    FolderCheck check;
    const fs::path top = fs::canonical(folder);
    check.look_at(top);
    try {
        fs::recursive_directory_iterator at(top);
        for (; at != fs::recursive_directory_iterator(); ++at) {
            if (at.depth() == 0 && at->path().filename() == ".git") {
                at.disable_recursion_pending();
                continue;
            }
            check.look_at(at->path());
        }
    } catch (const fs::filesystem_error& error) { // of a directory that may not be read
        throw SystemError(fmt::format("cannot read '{}'", top.string()), error.code().value());
    }
}

const HostFolder& HostFiles::folder(const fs::path& path) const {
    const std::lock_guard lock(mutex_);
    auto known = folders_.find(path);
    if (known == folders_.end()) {
        HostFolder folder{read_folder(path), {}};
        folder.digest = folder.tree.digest();
        known = folders_.emplace(path, std::move(folder)).first;
    }
    return known->second;
}

const HostFile& HostFiles::file(const fs::path& path) const {
    const std::lock_guard lock(mutex_);
    auto known = files_.find(path);
    if (known == files_.end()) {
        check_host_file(path);
        FileSource source(path);
        DigestSink sink;
        const std::uint64_t size = copy(source, sink);
        known = files_.emplace(path, HostFile{fs::canonical(path), size, sink.digest()}).first;
    }
    return known->second;
}

std::unique_ptr<Source> open_unchanged(const HostFile& expected) {
    const fs::path& path = expected.path;
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC));
    struct stat status{};
    if (!fd.is_open() && errno != ENOENT && errno != ELOOP && errno != ENOTDIR) {
        throw SystemError(fmt::format("cannot open '{}'", path.string()));
    }
    if (!fd.is_open() || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        throw changed(path);
    }
    return std::make_unique<UnchangedSource>(std::move(fd), expected);
}

void check_unchanged(const fs::path& folder, const HostFolder& before) {
    const FileTree now = read_folder(folder);
    for (const auto& [path, entry] : before.tree.entries()) {
        const Entry* found = now.find(path);
        if (found == nullptr || !found->same_as(entry)) {
            throw changed(folder / path);
        }
    }
    for (const auto& [path, entry] : now.entries()) {
        if (before.tree.find(path) == nullptr) {
            throw changed(folder / path);
        }
    }
}

} // namespace kiln
