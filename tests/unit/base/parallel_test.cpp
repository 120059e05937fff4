// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/parallel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <stdexcept>
#include <vector>

namespace kiln {
namespace {

TEST(ParallelOrdered, JoinsInOrderAtAnyThreadCount) {
    for (const unsigned jobs : {1U, 2U, 7U}) {
        std::vector<std::size_t> squares(100);
        std::vector<std::size_t> joined;
        parallel_ordered(
            squares.size(),
            jobs,
            [&](std::size_t i) { squares[i] = i * i; },
            [&](std::size_t i) { joined.push_back(squares[i]); });
        ASSERT_EQ(joined.size(), 100U);
        EXPECT_TRUE(std::is_sorted(joined.begin(), joined.end()));
        EXPECT_EQ(joined[99], 99U * 99U);
    }
}

TEST(ParallelFor, RethrowsTheFirstFailure) {
    std::atomic<int> done = 0;
    EXPECT_THROW(
        parallel_for(
            1000,
            2,
            [&](std::size_t i) {
                if (i == 3) {
                    throw Error("third");
                }
                ++done;
            }),
        Error);
    EXPECT_LT(done, 1000);
}

TEST(ParallelOrdered, StopsWhenTheConsumerThrows) {
    EXPECT_THROW(
        parallel_ordered(
            100, 2, [](std::size_t) {}, [](std::size_t) { throw Error("full"); }),
        Error);
}

TEST(ParallelGraph, DoesNothingBeforeWhatItNeeds) {
    const std::vector<std::vector<std::size_t>> needs{{1, 2}, {2}, {}, {0}, {}};
    std::mutex mutex;
    std::vector<std::size_t> done;
    parallel_graph(needs, std::vector<double>(needs.size(), 1), 4, [&](std::size_t i) {
        const std::lock_guard lock(mutex);
        for (const std::size_t need : needs[i]) {
            EXPECT_NE(std::find(done.begin(), done.end(), need), done.end());
        }
        done.push_back(i);
    });
    EXPECT_EQ(done.size(), needs.size());
}

TEST(ParallelGraph, TakesTheHighestPriorityFirst) {
    std::vector<std::size_t> done;
    parallel_graph({{}, {}, {}}, {1, 3, 2}, 1, [&](std::size_t i) { done.push_back(i); });
    EXPECT_EQ(done, (std::vector<std::size_t>{1, 2, 0}));
}

TEST(ParallelGraph, StopsAtTheFirstFailure) {
    std::atomic<int> calls = 0;
    EXPECT_THROW(
        parallel_graph(
            {{}, {0}, {1}},
            {1, 1, 1},
            2,
            [&](std::size_t i) {
                ++calls;
                if (i == 1) {
                    throw std::runtime_error("no");
                }
            }),
        std::runtime_error);
    EXPECT_EQ(calls, 2);
}

} // namespace
} // namespace kiln
