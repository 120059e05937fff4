// SPDX-License-Identifier: MIT
//
// Lines of text through a Unix socket, as QEMU's monitor and consoles speak them.
#pragma once

#include "base/io/file.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace kiln {

class LineSocket {
  public:
    /// Connects. Throws SystemError.
    explicit LineSocket(const fs::path& path);

    /// Writes the line and its end. Throws SystemError.
    void send(std::string_view line);
    /// The next line, without its end; nothing when `limit` passes. Throws Error when the other
    /// side has closed, and Interrupted.
    [[nodiscard]] std::optional<std::string> receive(std::chrono::milliseconds limit);

  private:
    fs::path path_;
    UniqueFd fd_;
    std::string pending_;
};

} // namespace kiln
