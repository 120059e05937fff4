// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "stages/accounts.hpp"

#include <gtest/gtest.h>

namespace kiln {
namespace {

class Accounts : public testing::Test {
  protected:
    void SetUp() override {
        fs::create_directories(root_ / "etc");
        write_file_atomically(root_ / "etc/passwd", "root:x:0:0:root:/root:/bin/bash\n");
        write_file_atomically(root_ / "etc/group", "root:x:0:\nadm:x:4:\n");
        write_file_atomically(root_ / "etc/shadow", "root:*:99999:0:99999:7:::\n");
        write_file_atomically(root_ / "etc/gshadow", "root:*::\nadm:*::\n");
    }

    [[nodiscard]] std::string text(const char* name) const {
        return read_text_file(root_ / "etc" / name);
    }

    TempDir dir_{temporary_root(), "kiln-test"};
    fs::path root_ = dir_.path();
    TreeRoot tree_{root_};
    static constexpr std::int64_t kEpoch = 86400LL * 19000;
};

TEST_F(Accounts, AddsUsersWithALockedPasswordAndTheEpochsDay) {
    AccountFiles accounts(tree_, kEpoch);
    accounts.add_group({"pause", 1000});
    accounts.add_user({"pause", 1000, 1000, "PAUSE", "/home/pause", "/bin/bash"});
    accounts.add_member("adm", "pause");
    accounts.save();
    EXPECT_NE(
        text("passwd").find("pause:x:1000:1000:PAUSE:/home/pause:/bin/bash\n"), std::string::npos);
    EXPECT_NE(text("shadow").find("pause:!:19000::::::\n"), std::string::npos);
    EXPECT_NE(text("group").find("adm:x:4:pause\n"), std::string::npos);
    EXPECT_NE(text("gshadow").find("adm:*::pause\n"), std::string::npos);
}

TEST_F(Accounts, RefusesANumberThatSomebodyElseHas) {
    AccountFiles accounts(tree_, kEpoch);
    try {
        accounts.add_group({"mine", 4});
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "cannot assign id 4 to group 'mine': already used by 'adm'");
    }
    EXPECT_THROW(accounts.add_group({"adm", 5}), Error);
    accounts.add_group({"adm", 4}); // exists as wanted
}

TEST_F(Accounts, SetsPasswordDaysBackToTheEpoch) {
    AccountFiles accounts(tree_, kEpoch);
    accounts.clamp_password_days();
    accounts.save();
    EXPECT_EQ(text("shadow"), "root:*:19000:0:99999:7:::\n");
}

} // namespace
} // namespace kiln
