// SPDX-License-Identifier: MIT
//
// Files of the build host: descriptors, whole-file reading, atomic writing, temporary directories.
#pragma once

#include "base/io/stream.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace kiln {

namespace fs = std::filesystem;

/// Owns a file descriptor. The only class with hand-written moves.
class UniqueFd {
  public:
    UniqueFd() = default;

    explicit UniqueFd(int fd) noexcept : fd_(fd) {}

    UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}

    UniqueFd& operator=(UniqueFd&& other) noexcept;
    UniqueFd(const UniqueFd&) = delete;
    UniqueFd& operator=(const UniqueFd&) = delete;

    ~UniqueFd() { reset(); }

    [[nodiscard]] int get() const noexcept { return fd_; }

    [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }

    [[nodiscard]] int release() noexcept;
    void reset() noexcept;

  private:
    int fd_ = -1;
};

/// open(2) with O_CLOEXEC. Throws SystemError "cannot open 'PATH': ...".
[[nodiscard]] UniqueFd open_file(const fs::path& path, int flags, unsigned mode = 0666);

/// Writes all of `bytes`, at the file position or at `offset`. `path` is for the message only.
void write_all(int fd, Bytes bytes, const fs::path& path);
void write_all_at(int fd, Bytes bytes, std::uint64_t offset, const fs::path& path);
/// Reads exactly `buffer.size()` bytes at `offset`; throws Error when the file ends before.
void read_exactly_at(
    int fd, std::span<std::byte> buffer, std::uint64_t offset, const fs::path& path);

/// read(2) at the file position, again after signals; 0 at the end. `path` is for the message only.
[[nodiscard]] std::size_t read_some(int fd, std::span<std::byte> buffer, const fs::path& path);

/// Opens, and makes with O_CREAT, a file that only kiln puts where it is, such as a lock or a
/// log. Throws Error when a link or anything else is there that would lead elsewhere.
[[nodiscard]] UniqueFd open_own_file(const fs::path& path, int flags, unsigned mode = 0666);

/// Opens a regular file for reading. A FIFO, device, socket or directory is refused ("'PATH' is not
/// a regular file") without waiting for it.
[[nodiscard]] UniqueFd open_regular_file(const fs::path& path);

/// What read_text_file() takes at most unless its caller says otherwise.
constexpr std::uint64_t kMaxTextBytes = std::uint64_t{64} << 20U;

/// The whole of a regular file, which files below /proc are, too. Throws SystemError when it cannot
/// be read, Error when it is of another kind or holds more than `limit` bytes: its size is looked
/// at first, and a file that grows meanwhile does not get past the limit either.
[[nodiscard]] std::string read_text_file(const fs::path& path, std::uint64_t limit = kMaxTextBytes);
/// The same for those who have words of their own for a file that is too large: nothing then.
[[nodiscard]] std::optional<std::string>
read_text_within(const fs::path& path, std::uint64_t limit);

/// When a cache last used what this file represents: its modification time, in seconds since 1970,
/// which set_used_now() sets. A file that is gone was never used (0), and setting is best effort.
[[nodiscard]] std::int64_t last_used(const fs::path& path);
void set_used_now(const fs::path& path) noexcept;
/// Removes the files in `folder` that were last used before `time`, as far as they can be removed.
void remove_unused(const fs::path& folder, std::int64_t time);

/// Reads a regular file; see open_regular_file().
class FileSource final : public Source {
  public:
    explicit FileSource(const fs::path& path);
    std::size_t read(std::span<std::byte> buffer) override;

  private:
    fs::path path_;
    UniqueFd fd_;
};

/// Writes to an open descriptor that it does not own.
class FdSink final : public Sink {
  public:
    FdSink(int fd, fs::path path) : fd_(fd), path_(std::move(path)) {}

    void write(Bytes bytes) override { write_all(fd_, bytes, path_); }

  private:
    int fd_;
    fs::path path_;
};

/// A file that appears under its name only at commit(); otherwise the destructor discards it.
class AtomicFile final : public Sink {
  public:
    explicit AtomicFile(fs::path target, unsigned mode = 0644);
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;
    ~AtomicFile() override;

    void write(Bytes bytes) override { write_all(fd_.get(), bytes, temporary_); }

    /// The descriptor, for positioned writing.
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

    [[nodiscard]] const fs::path& temporary() const noexcept { return temporary_; }

    /// Renames to the target. Throws SystemError.
    void commit();

  private:
    fs::path target_;
    fs::path temporary_;
    UniqueFd fd_;
    bool committed_ = false;
};

/// AtomicFile in one call.
void write_file_atomically(const fs::path& path, std::string_view text, unsigned mode = 0644);

/// The same, and on the disk when it returns: after a power failure there is the old file or the
/// new one, never an empty one.
void write_file_durably(const fs::path& path, std::string_view text, unsigned mode = 0644);

/// Replaces or makes a file in place, with this mode whatever the umask: for trees that nobody
/// reads meanwhile.
void write_file(const fs::path& path, std::string_view text, unsigned mode = 0644);

/// A new directory below `parent` (mode 0700), removed with all content by the destructor unless
/// keep() was called.
class TempDir {
  public:
    TempDir(const fs::path& parent, std::string_view prefix);
    TempDir(TempDir&& other) noexcept;
    TempDir& operator=(TempDir&&) = delete;
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    ~TempDir();

    [[nodiscard]] const fs::path& path() const noexcept { return path_; }

    void keep() noexcept { kept_ = true; }

  private:
    fs::path path_;
    bool kept_ = false;
};

/// $TMPDIR or the system's temporary directory.
[[nodiscard]] fs::path temporary_root();

/// Removes a tree even if its directories are not writable. Errors are ignored (for clean-up).
void remove_tree(const fs::path& path) noexcept;

/// An exclusive or shared flock(2) on a file that is made if it does not exist, or on a directory.
class FileLock {
  public:
    enum class Mode { shared, exclusive };
    /// Waits for the lock. Throws Interrupted after SIGINT or SIGTERM, whichever thread got it.
    /// `waiting` is called once, after a second, to tell people what is waited for.
    FileLock(const fs::path& path, Mode mode, const std::function<void()>& waiting = {});
    /// Returns a closed lock when somebody else holds it.
    [[nodiscard]] static FileLock try_lock(const fs::path& path, Mode mode);
    /// Exclusive. Returns a closed lock when somebody else holds it or there is no such directory.
    [[nodiscard]] static FileLock try_lock_directory(const fs::path& path);

    [[nodiscard]] bool is_held() const noexcept { return fd_.is_open(); }

  private:
    FileLock() = default;
    UniqueFd fd_;
};

/// Waits for a flock(2) (LOCK_SH or LOCK_EX) on an open file as FileLock does.
void wait_for_lock(
    int fd, int operation, const fs::path& path, const std::function<void()>& waiting = {});

/// Runs a function at the end of a scope, whatever way it is left. The function must not throw.
class [[nodiscard]] Finally {
  public:
    explicit Finally(std::function<void()> action) : action_(std::move(action)) {}

    Finally(const Finally&) = delete;
    Finally& operator=(const Finally&) = delete;

    ~Finally() { action_(); }

  private:
    std::function<void()> action_;
};

} // namespace kiln
