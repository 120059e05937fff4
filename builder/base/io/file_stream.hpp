// SPDX-License-Identifier: MIT
//
// A log that kiln writes, as a stream. Unlike std::ofstream it does not follow a link that somebody
// else put where the log is to be.
#pragma once

#include "base/io/file.hpp"

#include <array>
#include <ostream>
#include <streambuf>

namespace kiln {

/// Writes a file from its beginning; see open_own_file(). Like every stream it goes bad when
/// writing fails.
class OwnFileStream final : public std::ostream {
  public:
    explicit OwnFileStream(const fs::path& path, unsigned mode = 0666);
    OwnFileStream(const OwnFileStream&) = delete;
    OwnFileStream& operator=(const OwnFileStream&) = delete;
    ~OwnFileStream() override;

  private:
    class Buffer final : public std::streambuf {
      public:
        Buffer(UniqueFd fd, fs::path path);

      protected:
        int_type overflow(int_type c) override;
        int sync() override;

      private:
        static constexpr std::size_t kSize = 4096;
        UniqueFd fd_;
        fs::path path_;
        std::array<char, kSize> text_{};
    };

    Buffer buffer_;
};

} // namespace kiln
