// SPDX-License-Identifier: MIT
#include "fake_host.hpp"
#include "firstrun/host/journal.hpp"

#include <gtest/gtest.h>

namespace kiln::firstrun {

namespace {

using test::FakeHost;

TEST(Journal, MovesToTheVolumeWithWhatCameBefore) {
    FakeHost fake;
    Host host = fake.host();
    fs::create_directories(fake.place("/run/pause"));
    Journal journal(host, "1234");
    journal.begin("directories", "why");
    fs::create_directories(fake.place("/data/state"));
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
    FakeHost fake;
    fake.put("/data/state/journal.jsonl", "{\"event\":\"begin\"}\n{\"event\":\"en");
    Host host = fake.host();
    EXPECT_EQ(Journal::read(host).size(), 1U);
}

} // namespace

} // namespace kiln::firstrun
