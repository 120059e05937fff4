// SPDX-License-Identifier: MIT
//
// Keeps a file from growing without end that another process appends to, such as a guest's console.
#pragma once

#include "base/io/file.hpp"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <thread>

namespace kiln {

/// Looks at a file every `pause`, in a separate thread. As soon as it has more than `limit` bytes
/// all but the last `kept` of them are thrown away, so that it ends up with no more than that and
/// what is written in one `pause`. The writer must have opened it for appending (O_APPEND).
class BoundedLog {
  public:
    BoundedLog(
        fs::path path,
        std::uint64_t limit,
        std::uint64_t kept,
        std::chrono::milliseconds pause = std::chrono::seconds(1));

    /// Looks at it now.
    void trim() const;

  private:
    void watch(const std::stop_token& stop);

    fs::path path_;
    std::uint64_t limit_;
    std::uint64_t kept_;
    std::chrono::milliseconds pause_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::jthread thread_; ///< last: ended before anything that it uses
};

} // namespace kiln
