// SPDX-License-Identifier: MIT
#include "stages/tree_writer.hpp"

#include "base/error.hpp"
#include "formats/file_tree.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace kiln {

namespace {

std::string_view without_slashes(std::string_view path) {
    while (path.starts_with('/')) {
        path.remove_prefix(1);
    }
    while (path.ends_with('/')) {
        path.remove_suffix(1);
    }
    return path;
}

UniqueFd open_in_root(const fs::path& root, std::string_view directory) {
    const UniqueFd top = open_file(root, O_PATH | O_DIRECTORY);
    open_how how{};
    how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    how.resolve = RESOLVE_IN_ROOT;
    const std::string name = directory.empty() ? "." : std::string(directory);
    return UniqueFd(
        static_cast<int>(::syscall(SYS_openat2, top.get(), name.c_str(), &how, sizeof how)));
}

} // namespace

std::string TreeWriter::resolve_relative(std::string_view path) const {
    const std::string_view relative = without_slashes(path);
    const std::string_view parent = parent_path(relative);
    const UniqueFd fd = open_in_root(root_, parent);
    if (!fd.is_open()) {
        throw SystemError(fmt::format("cannot open the directory '/{}' of the tree", parent));
    }
    const std::string full = fs::read_symlink(fmt::format("/proc/self/fd/{}", fd.get())).string();
    const std::string prefix = fs::canonical(root_).string();
    KILN_CHECK(full.starts_with(prefix));
    const std::string_view real = without_slashes(std::string_view(full).substr(prefix.size()));
    const std::string_view name = base_name(relative);
    return real.empty() ? std::string(name) : fmt::format("{}/{}", real, name);
}

fs::path TreeWriter::resolve(std::string_view path) const {
    return root_ / resolve_relative(path);
}

bool TreeWriter::exists(std::string_view path) const {
    const std::string_view relative = without_slashes(path);
    return open_in_root(root_, parent_path(relative)).is_open() &&
           fs::exists(fs::symlink_status(resolve(path)));
}

void TreeWriter::make_parents(std::string_view path) const {
    const std::string_view parent = parent_path(without_slashes(path));
    if (!parent.empty() && !open_in_root(root_, parent).is_open()) {
        make_directory(parent, {.mode = 0755});
    }
}

void TreeWriter::set_ownership(std::string_view path, const Ownership& ownership) const {
    const fs::path at = resolve(path);
    if (::lchown(at.c_str(), ownership.uid, ownership.gid) != 0 ||
        (!fs::is_symlink(fs::symlink_status(at)) && ::chmod(at.c_str(), ownership.mode) != 0)) {
        throw SystemError(fmt::format("cannot set owner and mode of '{}'", path));
    }
}

void TreeWriter::make_directory(std::string_view path, const Ownership& ownership) const {
    if (without_slashes(path).empty()) {
        return;
    }
    make_parents(path);
    // A symlink to a directory, as merged /usr has them, serves as the directory.
    if (open_in_root(root_, without_slashes(path)).is_open()) {
        if (fs::is_symlink(fs::symlink_status(resolve(path)))) {
            return;
        }
    } else if (::mkdir(resolve(path).c_str(), 0700) != 0) {
        throw SystemError(fmt::format("cannot make the directory '{}' of the tree", path));
    }
    set_ownership(path, ownership);
}

void TreeWriter::write_file(
    std::string_view path, Source& content, const Ownership& ownership) const {
    make_parents(path);
    const fs::path at = resolve(path);
    if (fs::is_directory(fs::symlink_status(at))) {
        throw Error(fmt::format("'{}' is a directory of the tree, not a file", path));
    }
    AtomicFile file(at, 0600);
    copy(content, file);
    if (::fchown(file.fd(), ownership.uid, ownership.gid) != 0 ||
        ::fchmod(file.fd(), ownership.mode) != 0) {
        throw SystemError(fmt::format("cannot set owner and mode of '{}'", path));
    }
    file.commit();
}

void TreeWriter::write_file(
    std::string_view path, std::string_view text, const Ownership& ownership) const {
    MemorySource source(as_byte_span(text));
    write_file(path, source, ownership);
}

void TreeWriter::make_link(
    std::string_view path, const std::string& target, const Ownership& owner) const {
    make_parents(path);
    const fs::path at = resolve(path);
    if (fs::is_directory(fs::symlink_status(at)) && !fs::is_empty(at)) {
        throw Error(
            fmt::format("cannot put a link at '{}': a directory with content is there", path))
            .with_hint("remove the directory first, with 'remove' in a files stage");
    }
    fs::remove(at);
    if (::symlink(target.c_str(), at.c_str()) != 0) {
        throw SystemError(fmt::format("cannot make the link '{}' of the tree", path));
    }
    set_ownership(path, owner);
}

void TreeWriter::remove(std::string_view path) const {
    if (exists(path)) {
        fs::remove_all(resolve(path));
    }
}

} // namespace kiln
