// SPDX-License-Identifier: MIT
#include "fake_world.hpp"
#include "firstrun/host/journal.hpp"

#include <gtest/gtest.h>

namespace kiln::firstrun {

namespace {

using test::FakeWorld;

TEST(Journal, MovesToTheVolumeWithWhatCameBefore) {
    FakeWorld world;
    Host host = world.host();
    fs::create_directories(world.place("/run/pause"));
    Journal journal(host, "1234");
    journal.begin("directories", "why");
    fs::create_directories(world.place("/data/state"));
    journal.move_to_volume();
    journal.end("directories", 0.25);
    journal.fail("database", "because");
    const auto entries = Journal::read(host);
    ASSERT_EQ(entries.size(), 3U);
    EXPECT_EQ(entries[0].event, "begin");
    EXPECT_EQ(entries[0].text, "why");
    EXPECT_EQ(entries[0].image, "1234");
    EXPECT_EQ(entries[1].seconds, 0.25);
    EXPECT_EQ(entries[2].event, "fail");
    EXPECT_EQ(host.look("/data/state/journal.jsonl")->mode & 0077U, 0U);
}

TEST(Journal, PassesOverALineThatWasCutShort) {
    FakeWorld world;
    world.put("/data/state/journal.jsonl", "{\"event\":\"begin\"}\n{\"event\":\"en");
    Host host = world.host();
    EXPECT_EQ(Journal::read(host).size(), 1U);
}

} // namespace

} // namespace kiln::firstrun
