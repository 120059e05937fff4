// SPDX-License-Identifier: MIT
#include "publish/digitalocean/request_pace.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <ctime>

namespace kiln {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMinute{60'000};

} // namespace

PaceClock::PaceClock()
    : now([] {
          return std::chrono::duration_cast<milliseconds>(
              std::chrono::steady_clock::now().time_since_epoch());
      }),
      wait(RetryPolicy().wait), unix_time([] { return std::int64_t{std::time(nullptr)}; }) {}

milliseconds RequestPace::reserve() {
    const std::lock_guard lock(mutex_);
    const milliseconds now = clock_.now();
    milliseconds at = std::max(now, not_before_);
    if (recent_.size() >= most_) {
        at = std::max(at, recent_.front() + kMinute);
        recent_.pop_front();
    }
    recent_.push_back(at);
    return at - now;
}

void RequestPace::wait_for_turn() {
    if (const milliseconds delay = reserve(); delay.count() > 0) {
        clock_.wait(delay);
    }
}

void RequestPace::observe(const HttpResponse& response) {
    const auto remaining = response.header("ratelimit-remaining");
    if (!remaining || parse_unsigned(*remaining) != 0U) {
        return;
    }
    milliseconds delay = kMinute;
    if (const auto reset = parse_unsigned(response.header("ratelimit-reset").value_or(""))) {
        const std::int64_t now = clock_.unix_time();
        const auto at = static_cast<std::int64_t>(std::min<std::uint64_t>(*reset, INT64_MAX));
        delay = at <= now
                    ? milliseconds(0)
                    : std::min(kMinute, milliseconds(std::min<std::int64_t>(at - now, 60) * 1000));
    }
    const std::lock_guard lock(mutex_);
    not_before_ = std::max(not_before_, clock_.now() + delay);
}

} // namespace kiln
