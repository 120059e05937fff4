// SPDX-License-Identifier: MIT
#include "tree/tree_root_place.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace kiln {

namespace {

using tree_root::of_tree;

/// As many as the kernel follows before it gives up with ELOOP.
constexpr int kMostLinks = 40;

std::string_view without_slashes(std::string_view path) {
    while (path.starts_with('/')) {
        path.remove_prefix(1);
    }
    while (path.ends_with('/')) {
        path.remove_suffix(1);
    }
    return path;
}

std::string link_target(int directory, const std::string& name, std::string_view path) {
    std::array<char, 4097> target{};
    const ssize_t size = ::readlinkat(directory, name.c_str(), target.data(), target.size());
    if (size < 0) {
        throw SystemError(fmt::format("cannot read the link {}", of_tree(path)));
    }
    return {target.data(), static_cast<std::size_t>(size)};
}

std::string path_of_descriptor(int fd) {
    return fs::read_symlink(fmt::format("/proc/self/fd/{}", fd)).string();
}

} // namespace

std::string tree_root::of_tree(std::string_view path) {
    return fmt::format("'/{}' of the tree", without_slashes(path));
}

std::optional<struct stat> TreeRoot::Place::look() const {
    struct stat info{};
    if (::fstatat(directory.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return std::nullopt;
    }
    return info;
}

TreeRoot::TreeRoot(const fs::path& directory, TreeIds ids)
    : fd_(open_file(directory, O_PATH | O_DIRECTORY)), ids_(ids) {}

/// Opens a path below the root, everything resolved inside of it; a closed descriptor and errno
/// when that fails. The kernel answers EAGAIN when something was renamed or mounted anywhere
/// meanwhile and ".." was on the way: it could not be sure then.
UniqueFd TreeRoot::try_open(std::string_view path, std::uint64_t flags) const {
    const std::string_view relative = without_slashes(path);
    if (relative.find('\0') != std::string_view::npos) {
        errno = EINVAL;
        return UniqueFd();
    }
    const std::string name = relative.empty() ? "." : std::string(relative);
    open_how how{};
    how.flags = flags | O_CLOEXEC;
    how.resolve = RESOLVE_IN_ROOT;
    int fd = -1;
    do {
        fd = static_cast<int>(::syscall(SYS_openat2, fd_.get(), name.c_str(), &how, sizeof how));
    } while (fd < 0 && (errno == EAGAIN || errno == EINTR));
    return UniqueFd(fd);
}

std::optional<TreeRoot::Place> TreeRoot::find_place(std::string_view path) const {
    const std::string_view relative = without_slashes(path);
    const std::size_t slash = relative.rfind('/');
    const std::string_view name =
        slash == std::string_view::npos ? relative : relative.substr(slash + 1);
    const bool is_directory_itself = name.empty() || name == "." || name == "..";
    const std::string_view parent = is_directory_itself               ? relative
                                    : slash == std::string_view::npos ? std::string_view()
                                                                      : relative.substr(0, slash);
    UniqueFd directory = try_open(parent, O_PATH | O_DIRECTORY);
    if (!directory.is_open() || name.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    return Place{std::move(directory), is_directory_itself ? "." : std::string(name)};
}

TreeRoot::Place TreeRoot::place_of(std::string_view path) const {
    errno = EINVAL;
    auto place = find_place(path);
    if (!place) {
        throw SystemError(fmt::format("cannot open the directory of {}", of_tree(path)));
    }
    return std::move(*place);
}

/// Where a link in the last component leads, its target existing or not. A relative target counts
/// from the link's directory, whose own links the next round resolves.
TreeRoot::Place TreeRoot::place_behind_links(std::string_view path) const {
    std::string at(without_slashes(path));
    for (int links = 0; links <= kMostLinks; ++links) {
        Place place = place_of(at);
        const auto info = place.look();
        if (!info || !S_ISLNK(info->st_mode)) {
            return place;
        }
        const std::string target = kiln::link_target(place.directory.get(), place.name, path);
        const std::string folder = at.substr(0, at.find_last_of('/') + 1);
        at = target.starts_with('/') ? target : folder + target;
    }
    throw SystemError(fmt::format("cannot open {}", of_tree(path)), ELOOP);
}

struct stat TreeRoot::in_tree(struct stat info) const {
    info.st_uid = ids_.to_tree(info.st_uid);
    info.st_gid = ids_.to_tree(info.st_gid);
    return info;
}

std::optional<struct stat> TreeRoot::look(std::string_view path) const {
    const auto place = find_place(path);
    const auto info = place ? place->look() : std::nullopt;
    return info ? std::optional(in_tree(*info)) : std::nullopt;
}

std::optional<struct stat> TreeRoot::look_through(std::string_view path) const {
    const UniqueFd fd = try_open(path, O_PATH);
    struct stat info{};
    if (!fd.is_open() || ::fstat(fd.get(), &info) != 0) {
        return std::nullopt;
    }
    return in_tree(info);
}

bool TreeRoot::is_directory(std::string_view path) const {
    const auto info = look_through(path);
    return info && S_ISDIR(info->st_mode);
}

bool TreeRoot::is_regular_file(std::string_view path) const {
    const auto info = look_through(path);
    return info && S_ISREG(info->st_mode);
}

std::vector<std::string> TreeRoot::names(std::string_view path) const {
    const UniqueFd directory = try_open(path, O_PATH | O_DIRECTORY);
    return directory.is_open() ? names_in(directory.get()) : std::vector<std::string>();
}

std::string TreeRoot::read_text(std::string_view path) const {
    const UniqueFd fd = try_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    struct stat info{};
    if (!fd.is_open() || ::fstat(fd.get(), &info) != 0) {
        throw SystemError(fmt::format("cannot open {}", of_tree(path)));
    }
    if (!S_ISREG(info.st_mode)) {
        throw Error(fmt::format("{} is not a regular file", of_tree(path)));
    }
    std::string text;
    std::array<std::byte, 65536> buffer{};
    while (const std::size_t count = read_some(fd.get(), buffer, path)) {
        text += as_text(Bytes(buffer).first(count));
        if (text.size() > kLargestText) {
            throw Error(
                fmt::format("{} is larger than {} MiB", of_tree(path), kLargestText >> 20U));
        }
    }
    return text;
}

std::string TreeRoot::link_target(std::string_view path) const {
    const Place place = place_of(path);
    return kiln::link_target(place.directory.get(), place.name, path);
}

std::string TreeRoot::real_path(std::string_view path) const {
    const Place place = place_of(path);
    const std::string root = path_of_descriptor(fd_.get());
    const std::string full = path_of_descriptor(place.directory.get());
    KILN_CHECK(full.starts_with(root));
    const std::string_view inside = without_slashes(std::string_view(full).substr(root.size()));
    if (place.name == ".") {
        return std::string(inside);
    }
    return inside.empty() ? place.name : fmt::format("{}/{}", inside, place.name);
}

} // namespace kiln
