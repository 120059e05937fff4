// SPDX-License-Identifier: MIT
#include "base/io/beneath.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace kiln {

namespace {

/// Without waiting for a writer of a pipe, and without taking a terminal.
constexpr int kReadOnly = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

UniqueFd try_open_beneath(int top, const std::string& path, int flags, unsigned mode) {
    open_how how{};
    how.flags = static_cast<unsigned>(flags | O_CLOEXEC | O_NOFOLLOW);
    if ((flags & O_CREAT) != 0) {
        how.flags |= unsigned{O_EXCL};
        how.mode = mode;
    }
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const char* const name = path.empty() ? "." : path.c_str();
    while (true) {
        const auto fd = static_cast<int>(::syscall(SYS_openat2, top, name, &how, sizeof how));
        // EAGAIN: something in the tree was renamed meanwhile, and the kernel could not be sure.
        if (fd >= 0 || (errno != EINTR && errno != EAGAIN)) {
            return UniqueFd(fd);
        }
    }
}

[[noreturn]] void fail(const std::string& path) {
    if (errno == ELOOP) {
        throw Error(fmt::format("'{}' passes through a symbolic link", path));
    }
    throw SystemError(fmt::format("cannot open '{}'", path));
}

UniqueFd make_directory(int parent, const std::string& name, unsigned mode) {
    if (::mkdirat(parent, name.c_str(), mode) != 0) {
        throw SystemError(fmt::format("cannot create directory '{}'", name));
    }
    const UniqueFd fd = open_beneath(parent, name, O_RDONLY | O_DIRECTORY);
    if (::fchmod(fd.get(), mode) != 0) {
        throw SystemError(fmt::format("cannot set the mode of '{}'", name));
    }
    return open_beneath(parent, name, O_PATH | O_DIRECTORY);
}

} // namespace

UniqueFd open_top(const fs::path& directory) {
    return open_file(directory, O_PATH | O_DIRECTORY);
}

UniqueFd open_beneath(int top, const std::string& path, int flags, unsigned mode) {
    UniqueFd fd = try_open_beneath(top, path, flags, mode);
    if (!fd.is_open()) {
        fail(path);
    }
    return fd;
}

UniqueFd make_directories_beneath(int top, const std::string& path, unsigned mode) {
    UniqueFd at = try_open_beneath(top, path, O_PATH | O_DIRECTORY, 0);
    if (at.is_open()) {
        return at;
    }
    if (errno != ENOENT) {
        fail(path);
    }
    at = open_beneath(top, "", O_PATH | O_DIRECTORY);
    for (const std::string& part : split(path, '/')) {
        UniqueFd next = try_open_beneath(at.get(), part, O_PATH | O_DIRECTORY, 0);
        if (!next.is_open() && errno != ENOENT) {
            fail(path);
        }
        at = next.is_open() ? std::move(next) : make_directory(at.get(), part, mode);
    }
    return at;
}

RegularFile::RegularFile(const fs::path& path)
    : shown_(path), fd_(::open(path.c_str(), kReadOnly)) {
    look_at();
}

RegularFile::RegularFile(int top, const std::string& path, fs::path shown)
    : shown_(std::move(shown)), fd_(try_open_beneath(top, path, kReadOnly, 0)) {
    look_at();
}

void RegularFile::look_at() {
    if (!fd_.is_open()) {
        fail(shown_.string());
    }
    struct stat status{};
    if (::fstat(fd_.get(), &status) != 0) {
        throw SystemError(fmt::format("cannot access '{}'", shown_.string()));
    }
    if (!S_ISREG(status.st_mode)) {
        throw Error(fmt::format("'{}' is not a regular file", shown_.string()));
    }
    size_ = static_cast<std::uint64_t>(status.st_size);
}

std::size_t RegularFile::read(std::span<std::byte> buffer) {
    return read_some(fd_.get(), buffer, shown_);
}

std::string RegularFile::read_text(std::uint64_t limit) {
    if (size_ > limit) {
        throw Error(fmt::format(
            "'{}' is too large: {}, the limit is {}",
            shown_.string(),
            format_size(size_),
            format_size(limit)));
    }
    std::string text(static_cast<std::size_t>(size_), '\0');
    read_exactly_at(fd_.get(), std::as_writable_bytes(std::span(text)), 0, shown_);
    return text;
}

} // namespace kiln
