// SPDX-License-Identifier: MIT
#include "base/io/stream.hpp"
#include "support/expect_error.hpp"

#include <gtest/gtest.h>

namespace kiln {
namespace {

TEST(LimitedSink, HoldsNoMoreThanItsLimit) {
    LimitedSink sink(5, Error("too large", ExitCode::remote_refused));
    sink.write_text("abc");
    sink.write_text("de");
    EXPECT_EQ(test::thrown([&] { sink.write_text("f"); }), "5: too large");
    EXPECT_EQ(sink.text(), "abcde");
    sink.clear();
    EXPECT_EQ(test::thrown([&] { sink.write_text("abcdef"); }), "5: too large");
    sink.write_text("again");
    EXPECT_EQ(sink.take(), "again");
}

} // namespace
} // namespace kiln
