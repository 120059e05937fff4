// SPDX-License-Identifier: MIT
#include "formats/escape.hpp"

#include <gtest/gtest.h>

namespace kiln {
namespace {

TEST(EscapeControls, LeavesNothingThatATerminalObeys) {
    EXPECT_EQ(
        escape_controls("plain F\xc5\x91tan\xc3\xba \xe2\x82\xac \xf0\x9f\x98\x80"),
        "plain F\xc5\x91tan\xc3\xba \xe2\x82\xac \xf0\x9f\x98\x80");
    EXPECT_EQ(escape_controls("\x1b]0;title\x07"), "\\x1b]0;title\\x07");
    EXPECT_EQ(escape_controls("a\nb\tc\x7f"), "a\\x0ab\\x09c\\x7f");
    EXPECT_EQ(escape_controls("a\nb\r", "\n"), "a\nb\\x0d");
    EXPECT_EQ(
        escape_controls("\xc2\x9b"
                        "2J"),
        "\\xc2\\x9b2J"); // C1 in UTF-8
    EXPECT_EQ(
        escape_controls("\xe2\x80\xae"
                        "txt.exe"),
        "\\xe2\\x80\\xaetxt.exe");
    EXPECT_EQ(escape_controls(std::string_view("a\0b", 3)), "a\\x00b");
}

TEST(EscapeControls, WritesBytesThatAreNoUtf8) {
    EXPECT_EQ(escape_controls("caf\xe9"), "caf\\xe9");
    EXPECT_EQ(escape_invalid_utf8("caf\xe9\n"), "caf\\xe9\n");
    EXPECT_EQ(escape_invalid_utf8("\xc0\xaf"), "\\xc0\\xaf");          // not the shortest form
    EXPECT_EQ(escape_invalid_utf8("\xed\xa0\x80"), "\\xed\\xa0\\x80"); // a surrogate
    EXPECT_EQ(escape_invalid_utf8("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
    EXPECT_EQ(escape_invalid_utf8("\xe2\x82"), "\\xe2\\x82"); // cut off
}

} // namespace
} // namespace kiln
