// SPDX-License-Identifier: MIT
#include "publish/digitalocean/request_pace.hpp"

#include <gtest/gtest.h>

namespace kiln {
namespace {

using std::chrono::milliseconds;

class RequestPaceTest : public testing::Test {
  protected:
    PaceClock clock() {
        PaceClock out;
        out.now = [this] { return now_; };
        out.wait = [this](milliseconds delay) {
            now_ += delay;
            waited_ += delay;
        };
        out.unix_time = [this] { return 1'000'000 + now_.count() / 1000; };
        return out;
    }

    static HttpResponse answer(const std::string& remaining, const std::string& reset) {
        HttpResponse out;
        out.headers = {{"RateLimit-Remaining", remaining}, {"ratelimit-reset", reset}};
        return out;
    }

    milliseconds now_{5000};
    milliseconds waited_{0};
};

TEST_F(RequestPaceTest, LetsNoMoreThanItsNumberPassInAnyMinute) {
    RequestPace pace(clock(), 3);
    std::vector<milliseconds> sent;
    for (int i = 0; i < 10; ++i) {
        pace.wait_for_turn();
        sent.push_back(now_);
        now_ += milliseconds(100);
    }
    for (std::size_t i = 3; i < sent.size(); ++i) {
        EXPECT_GE(sent.at(i) - sent.at(i - 3), milliseconds(60'000)) << i;
    }
    EXPECT_LT(sent.back(), milliseconds(5000 + 3 * 60'000 + 1000));
}

TEST_F(RequestPaceTest, WaitsWhenTheServerSaysThatNothingIsLeft) {
    RequestPace pace(clock());
    pace.observe(answer("1", "1000100"));
    pace.wait_for_turn();
    EXPECT_EQ(waited_, milliseconds(0));
    pace.observe(answer("0", "1000017")); // now is 1000005
    pace.wait_for_turn();
    EXPECT_EQ(waited_, milliseconds(12'000));
    pace.observe(answer("0", "1")); // long ago
    pace.wait_for_turn();
    EXPECT_EQ(waited_, milliseconds(12'000));
}

TEST_F(RequestPaceTest, WaitsAMinuteAtMostWhateverTheServerSays) {
    for (const char* reset : {"99999999999999999999", "18446744073709551615", "1009999", "x", ""}) {
        waited_ = milliseconds(0);
        RequestPace pace(clock());
        pace.observe(answer("0", reset));
        pace.wait_for_turn();
        EXPECT_EQ(waited_, milliseconds(60'000)) << reset;
    }
}

} // namespace
} // namespace kiln
