// SPDX-License-Identifier: MIT
//
// Keeps the requests of all threads below a number for each minute, and waits when the server says
// that nothing is left. Knows nothing of what is requested.
#pragma once

#include "base/http/http.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>

namespace kiln {

/// Time as the publishing code sees it, so that tests need not wait.
struct PaceClock {
    /// Time that only grows.
    std::function<std::chrono::milliseconds()> now;
    /// Waits; throws Interrupted.
    std::function<void(std::chrono::milliseconds)> wait;
    /// Seconds since 1970.
    std::function<std::int64_t()> unix_time;

    PaceClock();
};

class RequestPace {
  public:
    /// DigitalOcean allows 250 requests a minute for each token, which others may use, too.
    static constexpr std::size_t kMostPerMinute = 200;

    explicit RequestPace(PaceClock clock = {}, std::size_t most_per_minute = kMostPerMinute)
        : clock_(std::move(clock)), most_(most_per_minute) {}

    /// Returns when the next request may be sent, and counts it. Throws Interrupted. Safe to call
    /// from several threads.
    void wait_for_turn();

    /// Looks at what an answer says about the limit: with ratelimit-remaining 0 the next request
    /// waits until ratelimit-reset, when the oldest request expires, at most a minute.
    void observe(const HttpResponse& response);

  private:
    [[nodiscard]] std::chrono::milliseconds reserve();

    PaceClock clock_;
    std::size_t most_;
    std::mutex mutex_;
    std::deque<std::chrono::milliseconds>
        recent_; ///< when the last requests were, or will be, sent
    std::chrono::milliseconds not_before_{0};
};

} // namespace kiln
