// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/parallel.hpp"

#include <gtest/gtest.h>

#include <atomic>
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

} // namespace
} // namespace kiln
