// SPDX-License-Identifier: MIT
//
// Files below a directory whose content somebody else chose: no link is followed on the way, and no
// name leads out of it (openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS). Knows nothing of
// what is there.
#pragma once

#include "base/io/file.hpp"
#include "base/io/stream.hpp"

#include <cstdint>
#include <string>

namespace kiln {

/// A handle (O_PATH) on a directory that the user or kiln itself names: links that lead to it are
/// followed. Throws SystemError.
[[nodiscard]] UniqueFd open_top(const fs::path& directory);

/// Opens `path` beneath `top`; "" is the directory itself. With O_CREAT the file must be new.
/// Throws Error "'PATH' leads through a symbolic link", SystemError otherwise.
[[nodiscard]] UniqueFd
open_beneath(int top, const std::string& path, int flags, unsigned mode = 0600);

/// A handle (O_PATH) on the directory `path` beneath `top`; what is missing of it is made with this
/// mode whatever the umask. Errors as open_beneath().
[[nodiscard]] UniqueFd
make_directories_beneath(int top, const std::string& path, unsigned mode = 0755);

/// A regular file that is read to its end. Pipes and devices are refused, and opening one neither
/// waits nor has an effect.
class RegularFile final : public Source {
  public:
    /// A file that the user names: links that lead to it are followed. Throws SystemError, and
    /// Error "'PATH' is not a regular file".
    explicit RegularFile(const fs::path& path);
    /// A file beneath `top`, as open_beneath() finds it; `shown` is what messages call it.
    RegularFile(int top, const std::string& path, fs::path shown);

    std::size_t read(std::span<std::byte> buffer) override;

    /// The whole text. Throws Error when the file has more than `limit` bytes.
    [[nodiscard]] std::string read_text(std::uint64_t limit);

    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

    /// Bytes when it was opened.
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

  private:
    void look_at();

    fs::path shown_;
    UniqueFd fd_;
    std::uint64_t size_ = 0;
};

} // namespace kiln
