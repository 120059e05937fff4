// SPDX-License-Identifier: MIT
#include "stages/accounts.hpp"
#include "support/expect_error.hpp"
#include "support/run_stage.hpp"

#include <unistd.h>

namespace kiln {
namespace {

class UsersStage : public testing::Test {
  protected:
    void SetUp() override {
        if (::geteuid() != 0) {
            GTEST_SKIP() << "gives files to users, which needs root";
        }
        tree_.write_file("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n", {});
        tree_.write_file("etc/group", "root:x:0:\nsudo:x:27:\n", {});
    }

    void run(const std::string& users) {
        test::run_stage(fixture_, "{stage: users, users: [" + users + "]}");
    }

    test::StageFixture fixture_;
    const TreeRoot& tree_ = fixture_.tree;
};

TEST_F(UsersStage, CopiesAllOfTheSkeleton) {
    tree_.write_file("etc/skel/.bashrc", "rc\n", {.mode = 0600});
    tree_.write_file("etc/skel/bin/tool", "#!/bin/sh\n", {.mode = 0755});
    tree_.make_link("etc/skel/link", "bin/tool", {.mode = 0777});
    tree_.make_directory("etc/skel/.ssh", {.mode = 0700});
    run("{name: app, uid: 1000}");
    const auto look = [&](const char* path) {
        const auto info = tree_.look(path);
        return info ? fmt::format("{:o} {}:{}", info->st_mode, info->st_uid, info->st_gid)
                    : "not there";
    };
    EXPECT_EQ(look("home/app"), "40700 1000:1000");
    EXPECT_EQ(look("home/app/.bashrc"), "100600 1000:1000");
    EXPECT_EQ(look("home/app/bin/tool"), "100755 1000:1000");
    EXPECT_EQ(look("home/app/link"), "120777 1000:1000");
    EXPECT_EQ(look("home/app/.ssh"), "40700 1000:1000");
    EXPECT_EQ(tree_.link_target("home/app/link"), "bin/tool");
}

TEST_F(UsersStage, LeavesAHomeAloneThatExists) {
    tree_.write_file("etc/skel/.bashrc", "skeleton\n", {});
    tree_.write_file("srv/app/.bashrc", "theirs\n", {});
    run("{name: app, uid: 1000, home: /srv/app}");
    EXPECT_EQ(tree_.read_text("srv/app/.bashrc"), "theirs\n");
    EXPECT_EQ(tree_.look("srv/app")->st_uid, 0U);
    EXPECT_NE(
        fixture_.output.str().find("user 'app': '/srv/app' already exists"), std::string::npos)
        << fixture_.output.str();
}

TEST_F(UsersStage, GivesAUserThatExistsWhatTheRecipeSays) {
    tree_.append("etc/passwd", "web:x:33:33:Web:/var/www:/usr/sbin/nologin\n");
    tree_.append("etc/group", "web:x:33:\n");
    run("{name: web, uid: 33, shell: /bin/bash, groups: [sudo]}");
    EXPECT_NE(
        tree_.read_text("etc/passwd").find("web:x:33:33:Web:/var/www:/bin/bash\n"),
        std::string::npos);
    EXPECT_NE(tree_.read_text("etc/group").find("sudo:x:27:web\n"), std::string::npos);
    EXPECT_FALSE(tree_.exists("home/web"));
    EXPECT_FALSE(tree_.exists("var/www"));
    run("{name: web, uid: 33, home: /srv/web}");
    EXPECT_NE(
        tree_.read_text("etc/passwd").find("web:x:33:33:Web:/srv/web:/bin/bash\n"),
        std::string::npos);
    EXPECT_TRUE(tree_.is_directory("srv/web"));
}

TEST_F(UsersStage, RefusesAnotherNumber) {
    EXPECT_EQ(
        test::message_of([&] { run("{name: root, uid: 5}"); }),
        "user 'root' already has uid 0, but the recipe sets 5");
}

TEST_F(UsersStage, TakesTheNamesThatDebianTakes) {
    run("{name: john.doe, uid: 1001}, {name: Debian-exim, uid: 101}, {name: \"host$\", uid: 1002}");
    for (const char* line : {"john.doe:x:1001:", "Debian-exim:x:101:", "host$:x:1002:"}) {
        EXPECT_NE(tree_.read_text("etc/passwd").find(line), std::string::npos) << line;
    }
}

TEST_F(UsersStage, JoinsAGroupOfATreeWithoutShadow) {
    run("{name: app, uid: 1000, groups: [sudo]}");
    EXPECT_NE(tree_.read_text("etc/group").find("sudo:x:27:app\n"), std::string::npos);
    EXPECT_EQ(
        test::message_of([&] { run("{name: app, uid: 1000, groups: [nobodys]}"); }),
        "cannot add user 'app' to group 'nobodys': no such user or group");
}

TEST_F(UsersStage, KeepsBlankLinesAndThoseOfNis) {
    tree_.write_file("etc/group", "root:x:0:\n\n+\nsudo:x:27:\n+:::\n", {});
    tree_.append("etc/passwd", "\n+::::::\n");
    run("{name: app, uid: 1000, groups: [sudo]}");
    EXPECT_EQ(tree_.read_text("etc/group"), "root:x:0:\n\n+\nsudo:x:27:app\n+:::\napp:x:1000:\n");
    EXPECT_TRUE(tree_.read_text("etc/passwd")
                    .starts_with("root:x:0:0:root:/root:/bin/bash\n\n+::::::\napp:x:1000:1000:"));
}

} // namespace
} // namespace kiln
