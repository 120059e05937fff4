// SPDX-License-Identifier: MIT
#include "fake_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::firstrun {

namespace {

using test::FakeWorld;
using testing::HasSubstr;

TEST(CommandLine, RefusesWhatItDoesNotKnow) {
    FakeWorld world;
    EXPECT_EQ(world.run({}), 2);
    EXPECT_EQ(world.run({"aply"}), 2);
    EXPECT_THAT(world.err, HasSubstr("unknown command 'aply'"));
    EXPECT_EQ(world.run({"apply", "--contaner"}), 2);
    EXPECT_EQ(world.run({"apply", "plan"}), 2);
    EXPECT_EQ(world.run({"new-password"}), 2);
    EXPECT_THAT(world.err, HasSubstr("which USER?"));
    EXPECT_EQ(world.run({"new-password", "ADMIN", "OTHER"}), 2);
    EXPECT_THAT(world.err, HasSubstr("unexpected argument 'OTHER'"));
}

TEST(CommandLine, HelpNamesEveryAnswer) {
    FakeWorld world;
    EXPECT_EQ(world.run({"--help"}), 0);
    for (const char* name :
         {"hostname", "acme_ca", "minimum_index_lines", "check-key", "recover"}) {
        EXPECT_THAT(world.out, HasSubstr(name));
    }
}

TEST(CommandLine, AnswersThatAreWrongEndWithThree) {
    FakeWorld world;
    world.env["PAUSE_MAIL"] = "pigeon";
    EXPECT_EQ(world.run({"plan", "--container"}), 3);
    EXPECT_THAT(world.err, HasSubstr("environment PAUSE_MAIL: mail 'pigeon' is not one of"));
}

TEST(Plan, ChangesNothingAndSaysWhy) {
    FakeWorld world;
    fs::create_directories(world.place("/data"));
    EXPECT_EQ(world.run({"plan", "--container"}), 0);
    EXPECT_THAT(world.out, HasSubstr("directories: /data/state is missing\n"));
    EXPECT_THAT(world.out, HasSubstr("signing-key: no signing key found\n"));
    EXPECT_THAT(world.out, HasSubstr("database: no database found\n"));
    EXPECT_THAT(world.out, HasSubstr("certificate: no certificate found\n"));
    EXPECT_TRUE(fs::is_empty(world.place("/data")));
    EXPECT_FALSE(fs::exists(world.place("/run")));
    EXPECT_TRUE(world.launcher.commands.empty());
}

TEST(Status, WorksBeforeAnythingWasDone) {
    FakeWorld world;
    EXPECT_EQ(world.run({"status"}), 0);
    EXPECT_THAT(world.out, HasSubstr("first done:   not yet"));
    EXPECT_EQ(world.run({"status", "--json"}), 0);
    EXPECT_EQ(world.out.front(), '{');
}

} // namespace

} // namespace kiln::firstrun
