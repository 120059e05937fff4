// SPDX-License-Identifier: MIT
#include "base/io/digest.hpp"

#include <gtest/gtest.h>

namespace kiln {
namespace {

TEST(Digest, KnowsTheDigestOfTheEmptyString) {
    EXPECT_EQ(
        sha256("").to_string(),
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Digest, ParsesItsOwnForms) {
    const Digest digest = sha256("kiln");
    EXPECT_EQ(Digest::parse(digest.to_string()), digest);
    EXPECT_EQ(Digest::parse(digest.hex()), digest);
}

TEST(Digest, RefusesWrongLengthAndUpperCase) {
    EXPECT_FALSE(Digest::parse("sha256:00"));
    EXPECT_FALSE(Digest::parse(std::string(64, 'G')));
    EXPECT_FALSE(Digest::parse(std::string(64, 'A')));
}

TEST(FieldHasher, SeparatesFieldsThatConcatenateAlike) {
    const auto hash = [](std::string_view a, std::string_view b) {
        return FieldHasher("test").field("x", a).field("y", b).finish();
    };
    EXPECT_NE(hash("-I", "-O2"), hash("-I-O", "2"));
    EXPECT_EQ(hash("a", "b"), hash("a", "b"));
    EXPECT_NE(FieldHasher("a").finish(), FieldHasher("b").finish());
}

TEST(Uuid, IsShapedAsVersion4) {
    const std::string text = format_uuid(uuid_from(sha256("x")));
    ASSERT_EQ(text.size(), 36U);
    EXPECT_EQ(text[14], '4');
    EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos);
}

} // namespace
} // namespace kiln
