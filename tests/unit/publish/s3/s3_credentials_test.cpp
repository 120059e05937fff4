// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "publish/s3/s3_credentials.hpp"
#include "support/expect_error.hpp"

#include <gtest/gtest.h>

namespace kiln {
namespace {

TEST(S3Keys, AreThoseOfSpacesBeforeThoseOfAws) {
    Environment env{{"AWS_ACCESS_KEY_ID", "a"}, {"AWS_SECRET_ACCESS_KEY", "b"}};
    EXPECT_EQ(find_s3_credentials(env)->access_key, "a");
    EXPECT_EQ(find_s3_credentials(env)->secret_key, "b");
    env["SPACES_ACCESS_KEY_ID"] = "c";
    env["SPACES_SECRET_ACCESS_KEY"] = "d";
    EXPECT_EQ(find_s3_credentials(env)->access_key, "c");
    EXPECT_EQ(find_s3_credentials(env)->secret_key, "d");
    EXPECT_FALSE(find_s3_credentials({{"HOME", "/root"}}));
}

TEST(S3Keys, MayBeInAFile) {
    const TempDir dir(temporary_root(), "s3-keys-test");
    write_file(dir.path() / "secret", " s3cr3t \nnot this\n");
    write_file(dir.path() / "empty", "\n");
    Environment env{
        {"SPACES_ACCESS_KEY_ID", "a"},
        {"SPACES_SECRET_ACCESS_KEY_FILE", (dir.path() / "secret").string()}};
    EXPECT_EQ(find_s3_credentials(env)->secret_key, "s3cr3t");
    env["SPACES_SECRET_ACCESS_KEY_FILE"] = (dir.path() / "empty").string();
    EXPECT_EQ(
        test::thrown([&] { static_cast<void>(find_s3_credentials(env)); }),
        "1: '" + (dir.path() / "empty").string() +
            "' (SPACES_SECRET_ACCESS_KEY_FILE) holds no key");
}

TEST(S3Keys, AreAPair) {
    EXPECT_EQ(
        test::thrown(
            [] { static_cast<void>(find_s3_credentials({{"SPACES_ACCESS_KEY_ID", "a"}})); }),
        "2: SPACES_ACCESS_KEY_ID is set, but SPACES_SECRET_ACCESS_KEY is not");
    EXPECT_EQ(
        test::thrown(
            [] { static_cast<void>(find_s3_credentials({{"AWS_SECRET_ACCESS_KEY", "b"}})); }),
        "2: AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is not");
}

} // namespace
} // namespace kiln
