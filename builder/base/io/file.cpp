// SPDX-License-Identifier: MIT
#include "base/io/file.hpp"

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/io/directory.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <span>
#include <system_error>
#include <thread>

namespace kiln {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
        reset();
        fd_ = other.release();
    }
    return *this;
}

int UniqueFd::release() noexcept {
    return std::exchange(fd_, -1);
}

void UniqueFd::reset() noexcept {
    if (fd_ >= 0) {
        ::close(std::exchange(fd_, -1));
    }
}

UniqueFd open_file(const fs::path& path, int flags, unsigned mode) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    if (fd < 0) {
        throw SystemError(fmt::format("cannot open '{}'", path.string()));
    }
    return UniqueFd(fd);
}

void write_all(int fd, Bytes bytes, const fs::path& path) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(fd, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            throw SystemError(fmt::format("cannot write '{}'", path.string()));
        }
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
}

void write_all_at(int fd, Bytes bytes, std::uint64_t offset, const fs::path& path) {
    while (!bytes.empty()) {
        const ssize_t count = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            throw SystemError(fmt::format("cannot write '{}'", path.string()));
        }
        bytes = bytes.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
    }
}

void read_exactly_at(
    int fd, std::span<std::byte> buffer, std::uint64_t offset, const fs::path& path) {
    while (!buffer.empty()) {
        const ssize_t count = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            throw SystemError(fmt::format("cannot read '{}'", path.string()));
        }
        if (count == 0) {
            throw Error(fmt::format("unexpected end of file in '{}'", path.string()));
        }
        buffer = buffer.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
    }
}

UniqueFd open_own_file(const fs::path& path, int flags, unsigned mode) {
    UniqueFd fd(::open(path.c_str(), flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode));
    if (!fd.is_open() && errno == ELOOP) {
        throw Error(fmt::format("'{}' is a symbolic link", path.string()))
            .with_hint("kiln creates this file itself: remove the link");
    }
    if (!fd.is_open()) {
        throw SystemError(fmt::format("cannot open '{}'", path.string()));
    }
    struct stat status{};
    if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink > 1) {
        throw Error(
            fmt::format("'{}' is not a regular file, or has several hard links", path.string()))
            .with_hint("kiln creates this file itself: remove the existing one");
    }
    return fd;
}

UniqueFd open_regular_file(const fs::path& path) {
    // Without O_NONBLOCK a FIFO would wait for its writer.
    UniqueFd fd = open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    struct stat status{};
    if (::fstat(fd.get(), &status) != 0) {
        throw SystemError(fmt::format("cannot read '{}'", path.string()));
    }
    if (!S_ISREG(status.st_mode)) {
        throw Error(fmt::format("'{}' is not a regular file", path.string()));
    }
    return fd;
}

std::optional<std::string> read_text_within(const fs::path& path, std::uint64_t limit) {
    FileSource source(path);
    std::error_code ignored;
    const std::uintmax_t reported = fs::file_size(path, ignored);
    const std::uintmax_t expected = ignored ? 0 : reported; // /proc reports 0
    if (expected > limit) {
        return std::nullopt;
    }
    constexpr std::size_t kStep = 65536;
    std::string text;
    std::size_t size = 0;
    // One byte more than expected, so that the end shows without growing the text again.
    text.resize(static_cast<std::size_t>(expected) + 1);
    while (const std::size_t count =
               source.read(std::as_writable_bytes(std::span(text).subspan(size)))) {
        size += count;
        if (size > limit) {
            return std::nullopt;
        }
        if (size == text.size()) {
            text.resize(size + std::max(size, kStep));
        }
    }
    text.resize(size);
    return text;
}

std::string read_text_file(const fs::path& path, std::uint64_t limit) {
    std::optional<std::string> text = read_text_within(path, limit);
    if (!text) {
        throw Error(fmt::format("'{}' is larger than {}", path.string(), format_size(limit)));
    }
    return std::move(*text);
}

std::size_t read_some(int fd, std::span<std::byte> buffer, const fs::path& path) {
    while (true) {
        const ssize_t count = ::read(fd, buffer.data(), buffer.size());
        if (count >= 0) {
            return static_cast<std::size_t>(count);
        }
        if (errno != EINTR) {
            throw SystemError(fmt::format("cannot read '{}'", path.string()));
        }
    }
}

FileSource::FileSource(const fs::path& path) : path_(path), fd_(open_regular_file(path)) {}

std::size_t FileSource::read(std::span<std::byte> buffer) {
    return read_some(fd_.get(), buffer, path_);
}

AtomicFile::AtomicFile(fs::path target, unsigned mode) : target_(std::move(target)) {
    std::string pattern =
        (target_.parent_path() / fmt::format(".{}.XXXXXX", target_.filename().string())).string();
    fd_ = UniqueFd(::mkostemp(pattern.data(), O_CLOEXEC));
    if (!fd_.is_open()) {
        throw SystemError(fmt::format("cannot create '{}'", target_.string()));
    }
    temporary_ = pattern;
    if (::fchmod(fd_.get(), mode) != 0) {
        const int error = errno;
        ::unlink(temporary_.c_str());
        throw SystemError(fmt::format("cannot set the mode of '{}'", temporary_.string()), error);
    }
}

AtomicFile::~AtomicFile() {
    if (!committed_) {
        ::unlink(temporary_.c_str());
    }
}

void AtomicFile::commit() {
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
        throw SystemError(fmt::format("cannot create '{}'", target_.string()));
    }
    committed_ = true;
    fd_.reset();
}

std::int64_t last_used(const fs::path& path) {
    struct stat status{};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mtim.tv_sec : 0;
}

void set_used_now(const fs::path& path) noexcept {
    static_cast<void>(::utimensat(AT_FDCWD, path.c_str(), nullptr, 0));
}

void remove_unused(const fs::path& folder, std::int64_t time) {
    for (const auto& file : fs::directory_iterator(folder)) {
        if (last_used(file.path()) < time) {
            std::error_code ignored;
            fs::remove(file.path(), ignored);
        }
    }
}

void write_file(const fs::path& path, std::string_view text, unsigned mode) {
    const UniqueFd fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    write_all(fd.get(), as_byte_span(text), path);
    if (::fchmod(fd.get(), mode) != 0) {
        throw SystemError(fmt::format("cannot set the mode of '{}'", path.string()));
    }
}

void write_file_atomically(const fs::path& path, std::string_view text, unsigned mode) {
    AtomicFile file(path, mode);
    file.write_text(text);
    file.commit();
}

void write_file_durably(const fs::path& path, std::string_view text, unsigned mode) {
    const auto sync = [](int fd, const fs::path& what) {
        if (::fsync(fd) != 0) {
            throw SystemError(fmt::format("cannot write '{}'", what.string()));
        }
    };
    AtomicFile file(path, mode);
    file.write_text(text);
    sync(file.fd(), path);
    file.commit();
    // The new name is in the folder, which has its own place on the disk.
    const UniqueFd folder = open_file(path.parent_path(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    sync(folder.get(), path.parent_path());
}

TempDir::TempDir(const fs::path& parent, std::string_view prefix) {
    std::string pattern = (parent / fmt::format("{}.XXXXXX", prefix)).string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw SystemError(
            fmt::format("cannot create a temporary directory in '{}'", parent.string()));
    }
    path_ = pattern;
}

TempDir::TempDir(TempDir&& other) noexcept
    : path_(std::exchange(other.path_, {})), kept_(other.kept_) {}

TempDir::~TempDir() {
    if (!kept_ && !path_.empty()) {
        remove_tree(path_);
    }
}

fs::path temporary_root() {
    const char* variable = std::getenv("TMPDIR");
    if (variable == nullptr || *variable == '\0') {
        return "/tmp";
    }
    std::error_code error; // of a working directory that is gone
    fs::path absolute = fs::absolute(variable, error);
    return error ? fs::path(variable) : absolute;
}

void remove_tree(const fs::path& path) noexcept {
    try {
        const fs::path absolute = fs::absolute(path);
        const UniqueFd parent = open_file(absolute.parent_path(), O_PATH | O_DIRECTORY);
        remove_all_at(parent.get(), absolute.filename().string());
    } catch (...) { // NOLINT(bugprone-empty-catch): clean-up is best effort
    }
}

namespace {

/// A closed descriptor when somebody else holds the lock.
UniqueFd try_lock_open(UniqueFd fd, const fs::path& path, int operation) {
    while (::flock(fd.get(), operation | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            return UniqueFd();
        }
        if (errno != EINTR) {
            throw SystemError(fmt::format("cannot lock '{}'", path.string()));
        }
    }
    return fd;
}

UniqueFd open_lock(const fs::path& path) {
    try {
        return open_own_file(path, O_RDWR | O_CREAT);
    } catch (const SystemError& error) {
        if (error.error_number() != EACCES && error.error_number() != EPERM) {
            throw;
        }
    }
    return open_own_file(path, O_RDONLY); // made by another of this user's ids
}

int flock_operation(FileLock::Mode mode) {
    return mode == FileLock::Mode::shared ? LOCK_SH : LOCK_EX;
}

} // namespace

void wait_for_lock(
    int fd, int operation, const fs::path& path, const std::function<void()>& waiting) {
    // Asked for again and again: a blocking flock() returns early only in the thread that gets the
    // signal, which need not be this one.
    constexpr auto kPause = std::chrono::milliseconds(20);
    constexpr int kPausesBeforeWord = 50;
    for (int pauses = 0; ::flock(fd, operation | LOCK_NB) != 0; ++pauses) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            throw SystemError(fmt::format("cannot lock '{}'", path.string()));
        }
        throw_if_interrupted();
        if (pauses == kPausesBeforeWord && waiting) {
            waiting();
        }
        std::this_thread::sleep_for(kPause);
    }
}

FileLock::FileLock(const fs::path& path, Mode mode, const std::function<void()>& waiting)
    : fd_(open_lock(path)) {
    wait_for_lock(fd_.get(), flock_operation(mode), path, waiting);
}

FileLock FileLock::try_lock(const fs::path& path, Mode mode) {
    FileLock lock;
    lock.fd_ = try_lock_open(open_lock(path), path, flock_operation(mode));
    return lock;
}

FileLock FileLock::try_lock_directory(const fs::path& path) {
    FileLock lock;
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.is_open() && errno != ENOENT) {
        throw SystemError(fmt::format("cannot open '{}'", path.string()));
    }
    if (fd.is_open()) {
        lock.fd_ = try_lock_open(std::move(fd), path, LOCK_EX);
    }
    return lock;
}

} // namespace kiln
