// SPDX-License-Identifier: MIT
#include "tree/tree_root_place.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>

namespace kiln {

namespace {

using tree_root::of_tree;

/// A new file beside the one that it replaces, under a name that nothing has.
std::pair<UniqueFd, std::string> create_beside(int directory, std::string_view path) {
    for (unsigned number = 0;; ++number) {
        std::string name = fmt::format(".kiln-new-{}", number);
        UniqueFd fd(::openat(
            directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (fd.is_open()) {
            return {std::move(fd), std::move(name)};
        }
        if (errno != EEXIST) {
            throw SystemError(fmt::format("cannot create {}", of_tree(path)));
        }
    }
}

bool is_empty(const TreeRoot& tree, std::string_view path) {
    return tree.names(path).empty();
}

} // namespace

void give_to_tree(const fs::path& folder, const TreeIds& ids) {
    const std::uint32_t owner = ids.to_host(0);
    const auto give = [owner](const fs::path& path) {
        if (::lchown(path.c_str(), owner, owner) != 0) {
            throw SystemError(fmt::format("cannot set the owner of '{}'", path.string()));
        }
    };
    if (ids.offset == 0) {
        return;
    }
    give(folder);
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        give(entry.path());
    }
}

void TreeRoot::own(int fd, std::string_view path, const Ownership& ownership) const {
    // chown drops set-user-id bits, so the mode comes after it.
    if (::fchown(fd, ids_.to_host(ownership.uid), ids_.to_host(ownership.gid)) != 0 ||
        ::fchmod(fd, ownership.mode) != 0) {
        throw SystemError(fmt::format("cannot set owner and mode of {}", of_tree(path)));
    }
}

void TreeRoot::set_ownership(std::string_view path, const Ownership& ownership) const {
    const Place place = place_of(path);
    const auto info = place.look();
    if (!info ||
        ::fchownat(
            place.directory.get(),
            place.name.c_str(),
            ids_.to_host(ownership.uid),
            ids_.to_host(ownership.gid),
            AT_SYMLINK_NOFOLLOW) != 0 ||
        (!S_ISLNK(info->st_mode) &&
         ::fchmodat(place.directory.get(), place.name.c_str(), ownership.mode, 0) != 0)) {
        throw SystemError(fmt::format("cannot set owner and mode of {}", of_tree(path)));
    }
}

void TreeRoot::make_parents(std::string_view path) const {
    const std::size_t end = path.find_last_not_of('/');
    const std::size_t slash = end == std::string_view::npos ? end : path.rfind('/', end);
    if (slash != std::string_view::npos) {
        make_directories(path.substr(0, slash));
    }
}

void TreeRoot::make_directories(std::string_view path) const {
    if (!is_directory(path)) {
        make_directory(path, {.mode = 0755});
    }
}

void TreeRoot::make_directory(std::string_view path, const Ownership& ownership) const {
    make_parents(path);
    const Place place = place_of(path);
    if (place.name == ".") {
        return;
    }
    const auto info = place.look();
    // A symlink to a directory, as merged /usr has them, serves as the directory.
    if (info && S_ISLNK(info->st_mode) && is_directory(path)) {
        return;
    }
    if (info && !S_ISDIR(info->st_mode)) {
        throw Error(fmt::format("{} is not a directory", of_tree(path)));
    }
    if (!info && ::mkdirat(place.directory.get(), place.name.c_str(), S_IRWXU) != 0) {
        throw SystemError(fmt::format("cannot create directory {}", of_tree(path)));
    }
    set_ownership(path, ownership);
}

void TreeRoot::replace(const Place& place, Source& content, const Ownership& ownership) const {
    const auto info = place.look();
    if (info && S_ISDIR(info->st_mode)) {
        throw Error(fmt::format("'{}' is a directory in the tree, not a file", place.name));
    }
    auto [fd, temporary] = create_beside(place.directory.get(), place.name);
    bool done = false;
    const Finally discard([&] {
        if (!done) {
            ::unlinkat(place.directory.get(), temporary.c_str(), 0);
        }
    });
    FdSink sink(fd.get(), place.name);
    copy(content, sink);
    own(fd.get(), place.name, ownership);
    if (::renameat(
            place.directory.get(), temporary.c_str(), place.directory.get(), place.name.c_str()) !=
        0) {
        throw SystemError(fmt::format("cannot create {}", of_tree(place.name)));
    }
    done = true;
}

void TreeRoot::write_file(
    std::string_view path, Source& content, const Ownership& ownership) const {
    make_parents(path);
    with_context(fmt::format("writing {}", of_tree(path)), [&] {
        replace(place_of(path), content, ownership);
    });
}

void TreeRoot::write_file(
    std::string_view path, std::string_view text, const Ownership& ownership) const {
    MemorySource source(as_byte_span(text));
    write_file(path, source, ownership);
}

void TreeRoot::write_through(
    std::string_view path, std::string_view text, const Ownership& ownership) const {
    make_parents(path);
    MemorySource source(as_byte_span(text));
    with_context(fmt::format("writing {}", of_tree(path)), [&] {
        replace(place_behind_links(path), source, ownership);
    });
}

void TreeRoot::append(std::string_view path, std::string_view text) const {
    const Place place = place_behind_links(path);
    const auto info = place.look();
    if (info && !S_ISREG(info->st_mode)) {
        throw Error(fmt::format("{} is not a regular file", of_tree(path)));
    }
    const UniqueFd fd(::openat(
        place.directory.get(),
        place.name.c_str(),
        O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
        0600));
    if (!fd.is_open()) {
        throw SystemError(fmt::format("cannot write {}", of_tree(path)));
    }
    if (!info) {
        own(fd.get(), path, {});
    }
    write_all(fd.get(), as_byte_span(text), path);
}

void TreeRoot::create_file(
    std::string_view path,
    Source& content,
    const Ownership& ownership,
    std::int64_t seconds) const {
    const Place place = place_of(path);
    const UniqueFd fd(::openat(
        place.directory.get(),
        place.name.c_str(),
        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
        0600));
    if (!fd.is_open()) {
        throw SystemError(fmt::format("cannot create {}", of_tree(path)));
    }
    FdSink sink(fd.get(), path);
    copy(content, sink);
    own(fd.get(), path, ownership);
    const std::array<timespec, 2> times{{{seconds, 0}, {seconds, 0}}};
    if (::futimens(fd.get(), times.data()) != 0) {
        throw SystemError(fmt::format("cannot set the time of {}", of_tree(path)));
    }
}

void TreeRoot::make_link(
    std::string_view path, const std::string& target, const Ownership& ownership) const {
    make_parents(path);
    const Place place = place_of(path);
    const auto info = place.look();
    const bool is_directory = info && S_ISDIR(info->st_mode);
    if (is_directory && !is_empty(*this, path)) {
        throw Error(
            fmt::format("cannot create link '{}': a non-empty directory exists there", path))
            .with_hint("remove the directory first, with 'remove' in a files stage");
    }
    if (info) {
        ::unlinkat(place.directory.get(), place.name.c_str(), is_directory ? AT_REMOVEDIR : 0);
    }
    if (::symlinkat(target.c_str(), place.directory.get(), place.name.c_str()) != 0) {
        throw SystemError(fmt::format("cannot create link {}", of_tree(path)));
    }
    set_ownership(path, ownership);
}

void TreeRoot::make_hard_link(std::string_view existing, std::string_view path) const {
    const Place from = place_of(existing);
    const Place to = place_of(path);
    ::unlinkat(to.directory.get(), to.name.c_str(), 0);
    if (::linkat(from.directory.get(), from.name.c_str(), to.directory.get(), to.name.c_str(), 0) !=
        0) {
        throw SystemError(fmt::format("cannot link {} to {}", of_tree(path), of_tree(existing)));
    }
}

void TreeRoot::make_fifo(std::string_view path, const Ownership& ownership) const {
    const Place place = place_of(path);
    ::unlinkat(place.directory.get(), place.name.c_str(), 0);
    if (::mkfifoat(place.directory.get(), place.name.c_str(), S_IRUSR | S_IWUSR) != 0) {
        throw SystemError(fmt::format("cannot create named pipe {}", of_tree(path)));
    }
    set_ownership(path, ownership);
}

void TreeRoot::rename(std::string_view from, std::string_view to) const {
    const Place source = place_of(from);
    const Place target = place_of(to);
    if (::renameat(
            source.directory.get(),
            source.name.c_str(),
            target.directory.get(),
            target.name.c_str()) != 0) {
        throw SystemError(fmt::format("cannot move {} to {}", of_tree(from), of_tree(to)));
    }
}

void TreeRoot::remove(std::string_view path) const {
    const auto place = find_place(path);
    if (!place || !place->look()) {
        return;
    }
    if (place->name == ".") {
        throw Error("the root directory of a tree cannot be removed");
    }
    remove_all_at(place->directory.get(), place->name);
}

void TreeRoot::empty_file(std::string_view path) const {
    const auto info = look_through(path);
    if (!info || !S_ISREG(info->st_mode) || info->st_size == 0) {
        return;
    }
    const UniqueFd fd = try_open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY);
    if (!fd.is_open() || ::ftruncate(fd.get(), 0) != 0) {
        throw SystemError(fmt::format("cannot truncate {}", of_tree(path)));
    }
}

void TreeRoot::set_time(std::string_view path, std::int64_t seconds) const {
    const Place place = place_of(path);
    const std::array<timespec, 2> times{{{seconds, 0}, {seconds, 0}}};
    if (::utimensat(place.directory.get(), place.name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) !=
        0) {
        throw SystemError(fmt::format("cannot set the time of {}", of_tree(path)));
    }
}

} // namespace kiln
