// SPDX-License-Identifier: MIT
#include "base/io/paths.hpp"
#include "build/made_trees.hpp"
#include "support/build_tree.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace kiln {
namespace {

class MadeTreesOfOneStage : public testing::Test {
  protected:
    void SetUp() override {
        delta_.put("", test::make_directory());
        delta_.put("file", test::make_file("content"));
        delta_.put("gone", test::make_entry(FileType::whiteout, 0));
        made_.keep(key_, delta_);
    }

    [[nodiscard]] fs::path file() const { return dir_.path() / "made" / (key_.hex() + ".zst"); }

    Digest key_ = sha256("key");
    FileTree delta_;

  private:
    TempDir dir_{temporary_root(), "kiln-test"};

  protected:
    MadeTrees made_{dir_.path()};
};

TEST_F(MadeTreesOfOneStage, AreRemembered) {
    const auto found = made_.find(key_);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->digest(), delta_.digest());
    EXPECT_FALSE(made_.find(sha256("another")));
}

TEST_F(MadeTreesOfOneStage, AreTheLastOnes) {
    FileTree other;
    other.put("", test::make_directory());
    made_.keep(key_, other);
    EXPECT_EQ(made_.find(key_)->digest(), other.digest());
}

TEST_F(MadeTreesOfOneStage, AreForTheirOwnerAlone) {
    struct stat status{};
    ASSERT_EQ(::stat(file().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
    ASSERT_EQ(::stat(file().parent_path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0700U);
}

TEST_F(MadeTreesOfOneStage, AreNothingWhenDamaged) {
    fs::resize_file(file(), fs::file_size(file()) - 5);
    EXPECT_FALSE(made_.find(key_));
    write_file(file(), "not a manifest\n");
    EXPECT_FALSE(made_.find(key_));
    write_file(file(), "");
    EXPECT_FALSE(made_.find(key_) && made_.find(key_)->digest() == delta_.digest());
}

TEST_F(MadeTreesOfOneStage, AreForgottenWhenOld) {
    const std::int64_t made_at = last_used(file());
    made_.prune(made_at);
    EXPECT_TRUE(made_.find(key_));
    made_.prune(last_used(file()) + 1);
    EXPECT_FALSE(made_.find(key_));
}

} // namespace
} // namespace kiln
