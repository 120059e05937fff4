// SPDX-License-Identifier: MIT
//
// A file that is read in windows, by several threads and more than once, and must stay as it is
// meanwhile.
#pragma once

#include "base/error.hpp"
#include "base/io/digest.hpp"
#include "base/io/file.hpp"
#include "base/io/stream.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace kiln {

struct WindowDigests {
    Digest sha256;
    std::string md5; ///< hexadecimal digits
};

class WatchedFile {
  public:
    /// Throws SystemError, and Error for anything but a regular file.
    explicit WatchedFile(fs::path path);

    [[nodiscard]] std::uint64_t size() const noexcept { return stamp_.size; }

    /// Of the whole content.
    [[nodiscard]] Digest digest() const;
    [[nodiscard]] WindowDigests digests_of(std::uint64_t offset, std::uint64_t size) const;
    /// `on_bytes` is called with what is read. This must outlive the source.
    [[nodiscard]] std::unique_ptr<Source> open(
        std::uint64_t offset,
        std::uint64_t size,
        std::function<void(std::size_t)> on_bytes = {}) const;

    /// Throws changed() when somebody wrote to the file since it was opened.
    void require_unchanged() const;
    [[nodiscard]] Error changed() const;

  private:
    /// What changes when a file is written to.
    struct Stamp {
        std::uint64_t size = 0;
        std::int64_t modified = 0; ///< nanoseconds since 1970
        bool operator==(const Stamp&) const = default;
    };

    class Window;

    [[nodiscard]] Stamp stamp() const;

    fs::path path_;
    UniqueFd fd_;
    Stamp stamp_;
};

} // namespace kiln
