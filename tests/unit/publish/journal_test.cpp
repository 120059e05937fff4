// SPDX-License-Identifier: MIT
#include "publish/digitalocean/journal.hpp"
#include "support/expect_error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

PublishJournal sample() {
    PublishJournal journal;
    journal.id = "0123abcd";
    journal.api_url = "https://api.digitalocean.com";
    journal.started = 1'800'000'000;
    journal.disk = {"/out/shop/shop.qcow2", ImageFormat::qcow2, sha256("disk")};
    journal.file = {"/out/shop/shop.qcow2", "shop.qcow2.gz", 12345, sha256("x")};
    journal.image_name = "shop";
    journal.description = "a shop";
    journal.distribution = "Debian";
    journal.regions = {"nyc3", "ams3"};
    journal.tags = {"prod"};
    journal.step = PublishStep::transfer;
    journal.upload_kind = "spaces";
    journal.upload_target = "shop-images";
    journal.is_upload_begun = true;
    journal.upload_state = {{"key", "k"}, {"parts", {1, 2}}};
    journal.url = "https://space.example/k.qcow2.gz";
    journal.is_upload_removed = true;
    journal.is_create_requested = true;
    journal.is_create_unclear = true;
    journal.image = 12;
    journal.was_there = true;
    journal.transfers = {{"ams3", true, 99, false, ""}, {"sgp1", false, 0, true, "no"}};
    journal.failure = "why";
    return journal;
}

class JournalTest : public testing::Test {
  protected:
    TempDir dir_{temporary_root(), "kiln-test"};
    JournalStore store_{dir_.path()};
};

TEST_F(JournalTest, ReadsBackAllThatItWrote) {
    const PublishJournal written = sample();
    const PublishJournal read = parse_journal(journal_text(written), "journal.json");
    EXPECT_EQ(journal_text(read), journal_text(written));
    EXPECT_EQ(read.transfers, written.transfers);
    EXPECT_EQ(read.file.digest, written.file.digest);
    EXPECT_EQ(read.step, PublishStep::transfer);
    EXPECT_EQ(read.upload_state, written.upload_state);
    EXPECT_EQ(read.own_tag(), "kiln-publish-0123abcd");
    EXPECT_EQ(read.content_tag(), "kiln-" + sha256("disk").hex());
}

TEST_F(JournalTest, RefusesWhatItDidNotWrite) {
    const std::string good = journal_text(sample());
    const auto changed = [&](const std::string& from, const std::string& to) {
        std::string text = good;
        const std::size_t at = text.find(from);
        KILN_CHECK(at != std::string::npos);
        text.replace(at, from.size(), to);
        return test::message_of([&] { static_cast<void>(parse_journal(text, "j")); });
    };
    EXPECT_EQ(
        changed("\"kiln_publish\": 1", "\"kiln_publish\": 2"),
        "'j' has format 2, this kiln reads 1");
    EXPECT_EQ(changed("\"transfer\"", "\"travel\""), "'step' of 'j' must be one of the steps");
    EXPECT_EQ(changed("0123abcd", "../../x"), "malformed journal 'j'");
    EXPECT_EQ(changed("sha256:", "sha1:"), "'digest' of 'disk' of 'j' must be a SHA-256");
    EXPECT_THAT(changed("\"regions\"", "\"region\""), HasSubstr("'regions'"));
    for (std::size_t size = 0; size + 2 < good.size(); size += 7) {
        EXPECT_NE(
            test::message_of([&] { static_cast<void>(parse_journal(good.substr(0, size), "j")); }),
            "no error")
            << size;
    }
}

TEST_F(JournalTest, IsForOneProcessAtATimeAndForItsUserAlone) {
    std::string id;
    {
        OpenJournal open = store_.create(sample());
        id = open->id;
        EXPECT_EQ(id.size(), 8U);
        EXPECT_EQ(
            test::message_of([&] { static_cast<void>(store_.open(id)); }),
            "another kiln process is working on publish '" + id + "'");
        open->image = 77;
        open.save();
        const fs::path file = dir_.path() / "publish" / id / "journal.json";
        EXPECT_EQ(fs::status(file).permissions(), fs::perms(0600));
        EXPECT_EQ(fs::status(file.parent_path()).permissions(), fs::perms(0700));
    }
    EXPECT_EQ(store_.open(id)->image, 77U);
    store_.open(id).remove();
    EXPECT_FALSE(fs::exists(dir_.path() / "publish" / id));
}

TEST_F(JournalTest, ListsThemByAgeAndPassesOverWhatIsNone) {
    PublishJournal journal = sample();
    for (const std::int64_t started : {30, 10, 20}) {
        journal.started = started;
        static_cast<void>(store_.create(journal));
    }
    fs::create_directories(dir_.path() / "publish/00000000"); // killed before its first writing
    fs::create_directories(dir_.path() / "publish/11111111");
    write_file(dir_.path() / "publish/11111111/journal.json", "{");
    std::vector<std::int64_t> times;
    for (const PublishJournal& each : store_.list()) {
        times.push_back(each.started);
    }
    EXPECT_THAT(times, testing::ElementsAre(10, 20, 30));
}

TEST_F(JournalTest, TakesNoPathForAnId) {
    write_file(dir_.path() / "journal.json", journal_text(sample()));
    for (const char* id : {"..", "", ".", "0123ABCD", "0123abc", "0123abcd", "00000000/.."}) {
        EXPECT_THAT(
            test::message_of([&] { static_cast<void>(store_.open(id)); }, ExitCode::usage),
            StartsWith("there is no publish '"))
            << id;
    }
}

} // namespace
} // namespace kiln
