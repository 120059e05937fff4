// SPDX-License-Identifier: MIT
#include "publish/droplet/create_plan.hpp"
#include "publish/droplet/destroy_droplet.hpp"
#include "support/expect_error.hpp"
#include "support/fake_droplets.hpp"
#include "support/fake_http_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace kiln {
namespace {

using test::FakeDroplets;
using test::Killer;
using test::thrown;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

using Json = nlohmann::ordered_json;

class DropletPlan : public testing::Test {
  protected:
    DropletPlan() {
        wish_.name = "shop";
        wish_.image = "pause";
        wish_.region = "nyc3";
        wish_.size = "s-1vcpu-2gb";
        wish_.ssh_keys = {"laptop"};
        journal_.id = "0123456789abcdef";
    }

    CreatePlan plan() {
        DigitalOceanApi client = api();
        return plan_create(client, wish_, journal_);
    }

    std::string fault() {
        std::string out = thrown([&] { plan(); });
        EXPECT_TRUE(cloud_.droplets.empty());
        for (const std::string& line : cloud_.seen) {
            EXPECT_THAT(line, StartsWith("GET ")) << "a plan changes nothing";
        }
        return out;
    }

    DigitalOceanApi api() {
        ApiOptions out;
        out.base_url = "https://do.example";
        out.clock = cloud_.clock();
        out.retry = test::impatient(6);
        return {cloud_, "planted-token", out};
    }

    void add_droplet(std::uint64_t id, const char* name, Json volumes = Json::array()) {
        cloud_.droplets[id] = {
            {{"name", name},
             {"region", "nyc3"},
             {"size", "s-1vcpu-2gb"},
             {"image", 7},
             {"tags", Json::array()},
             {"volumes", std::move(volumes)}},
            milliseconds(0)};
    }

    using milliseconds = std::chrono::milliseconds;
    Killer killer_;
    FakeDroplets cloud_{killer_};
    DropletWish wish_;
    CreateJournal journal_;
    std::ostringstream messages_;
    Console console_{messages_, {}};
};

TEST_F(DropletPlan, SaysWhatIsMade) {
    wish_.hosts = {"example.org", "a.b.example.org"};
    wish_.volumes = {{"data", 50}};
    wish_.project = "p-1";
    wish_.user_data = "planted";
    EXPECT_THAT(
        plan().lines(),
        ElementsAre(
            "create and attach volume 'data' (50 GB)",
            "create droplet 'shop': s-1vcpu-2gb in nyc3, image 7 'pause', SSH keys laptop, with "
            "user-data",
            "assign it to project 'shop'",
            "point example.org to its address",
            "point a.b.example.org to its address"));
}

TEST_F(DropletPlan, FindsKeysByNameIdAndFingerprintEachOnce) {
    wish_.ssh_keys = {"12", "laptop", "aa:03", "MD5:aa:01"};
    EXPECT_THAT(plan().droplet.ssh_keys, ElementsAre(12, 11, 13));
    EXPECT_EQ(cloud_.count("GET /v2/account/keys?per_page=200"), 1U);
    wish_.ssh_keys = {"laptop", "phone", "tablet"};
    EXPECT_EQ(fault(), "2: the account has no SSH key 'phone', 'tablet'");
    wish_.ssh_keys = {"office"};
    EXPECT_EQ(fault(), "2: the account has 2 SSH keys 'office'");
    wish_.ssh_keys.clear();
    EXPECT_EQ(fault(), "2: --ssh-key is missing: nobody could log in to the droplet");
}

TEST_F(DropletPlan, TakesTheNewestImageThatIsInTheRegion) {
    cloud_.images[8] = FakeDroplets::image("pause", {"nyc3"}, "2026-11-03T00:00:00Z");
    cloud_.images[9] = FakeDroplets::image("pause", {"sgp1"}, "2026-11-04T00:00:00Z");
    cloud_.images[10] = FakeDroplets::image("pause", {"nyc3"}, "2026-11-05T00:00:00Z");
    cloud_.images[10]["status"] = "pending";
    EXPECT_EQ(plan().image.id, 8U);
    wish_.image = "7";
    EXPECT_EQ(plan().image.id, 7U);
    wish_.image = "9";
    EXPECT_EQ(fault(), "2: image 9 is not in region 'nyc3'");
    wish_.image = "10";
    EXPECT_EQ(fault(), "2: image 10 is not available: its status is 'pending'");
    wish_.image = "99";
    EXPECT_EQ(fault(), "2: there is no image 99");
    wish_.image = "other";
    EXPECT_EQ(fault(), "2: kiln has published no image 'other'");
}

TEST_F(DropletPlan, RefusesWhatCannotBeHad) {
    wish_.region = "mars1";
    EXPECT_EQ(fault(), "2: DigitalOcean has no region 'mars1'");
    wish_.region = "nyc3";
    wish_.size = "s-1vcpu-2g";
    EXPECT_EQ(fault(), "2: DigitalOcean has no droplet size 's-1vcpu-2g'");
    wish_.size = "tiny";
    EXPECT_EQ(fault(), "2: size 'tiny' has a disk of 2 GB; the image needs 4 GB");
    wish_.size = "s-1vcpu-2gb";
    wish_.project = "other";
    EXPECT_EQ(fault(), "2: the account has no project 'other'");
    wish_.project.clear();
    wish_.hosts = {"www.example.net"};
    EXPECT_EQ(fault(), "2: 'www.example.net' is in no domain of the account");
    wish_.hosts = {"www example.org"};
    EXPECT_EQ(fault(), "2: 'www example.org' is not a full host name (--domain)");
    wish_.hosts.clear();
    wish_.name = "shop_1";
    EXPECT_EQ(fault(), "2: 'shop_1' is not a name for a droplet");
    wish_.name = "shop";
    wish_.tags = {"a b"};
    EXPECT_EQ(fault(), "2: '--tag a b' is not a tag");
    wish_.tags.clear();
    wish_.user_data = std::string(kMostUserData + 1, 'x');
    EXPECT_EQ(fault(), "2: the user-data has 65537 bytes; DigitalOcean takes at most 65536");
}

TEST_F(DropletPlan, RefusesVolumesThatAreNotThereOrNotFree) {
    wish_.volumes = {{"data", 0}};
    EXPECT_EQ(fault(), "2: there is no volume 'data' in region 'nyc3'");
    cloud_.volumes["vol-1"] = {
        {"name", "data"}, {"region", "ams3"}, {"size_gigabytes", 10}, {"tags", Json::array()}};
    EXPECT_EQ(fault(), "2: there is no volume 'data' in region 'nyc3'");
    cloud_.volumes["vol-1"]["region"] = "nyc3";
    wish_.volumes = {{"data", 20}};
    EXPECT_EQ(fault(), "2: volume 'data' exists and has 10 GB, not 20 GB");
    add_droplet(5, "other", {"vol-1"});
    EXPECT_EQ(thrown([&] { plan(); }), "2: volume 'data' is attached to droplet 5");
    wish_.volumes = {{"data", 10}, {"data", 10}};
    EXPECT_EQ(thrown([&] { plan(); }), "2: '--volume data' is given twice");
}

TEST_F(DropletPlan, RefusesANameThatIsTaken) {
    add_droplet(5, "shop");
    EXPECT_EQ(
        thrown([&] { plan(); }),
        "2: a droplet of that name exists: 5 'shop' (s-1vcpu-2gb in nyc3, 203.0.113.5)");
}

TEST_F(DropletPlan, RefusesToGoOnWithSomethingElse) {
    journal_.is_requested = true;
    journal_.region = "nyc3";
    journal_.size = "s-2vcpu-4gb";
    journal_.image = 7;
    EXPECT_EQ(
        fault(),
        "2: an unfinished create of 'shop' asked for the size 's-2vcpu-4gb', not "
        "'s-1vcpu-2gb'");
}

TEST_F(DropletPlan, ReadsVolumesFromTheCommandLine) {
    EXPECT_EQ(parse_wanted_volume("pause-data"), (WantedVolume{"pause-data", 0}));
    EXPECT_EQ(parse_wanted_volume("a1:50"), (WantedVolume{"a1", 50}));
    EXPECT_EQ(parse_wanted_volume("a1:50GB"), (WantedVolume{"a1", 50}));
    for (const char* text : {"a:0", "a:16385", "a:", "a:x", "a:1TB", "a:-1"}) {
        EXPECT_THAT(
            thrown([&] { static_cast<void>(parse_wanted_volume(text)); }),
            HasSubstr("expected NAME:SIZE"))
            << text;
    }
    for (const char* text : {"", ":5", "Data", "-a", "a-", "a/b", "1a"}) {
        EXPECT_THAT(
            thrown([&] { static_cast<void>(parse_wanted_volume(text)); }),
            HasSubstr("is not the name of a volume"))
            << text;
    }
}

TEST_F(DropletPlan, ReadsNoMoreThanTheSpecificationSays) {
    add_droplet(5, "shop");
    DigitalOceanApi client = api();
    cloud_.droplets[5].request["volumes"] = Json::array({7});
    EXPECT_THAT(
        thrown([&] { static_cast<void>(find_droplet(client, 5)); }),
        StartsWith("5: the answer of DigitalOcean's API is not valid: "));
    EXPECT_FALSE(find_droplet(client, 6).has_value());
}

TEST_F(DropletPlan, DestroysRecordsThenTheDropletAndKeepsVolumes) {
    add_droplet(5, "shop", {"vol-1"});
    cloud_.volumes["vol-1"] = {
        {"name", "data"}, {"region", "nyc3"}, {"size_gigabytes", 10}, {"tags", Json::array()}};
    cloud_.records[7] = FakeDroplets::record("A", "shop", "203.0.113.5");
    cloud_.records[8] = FakeDroplets::record("TXT", "shop", "203.0.113.5");
    DigitalOceanApi client = api();
    DestroyPlan plan = plan_destroy(client, 5, false);
    EXPECT_THAT(
        plan.lines(),
        ElementsAre(
            "delete record A shop.example.org 203.0.113.5",
            "delete droplet 5 'shop' (s-1vcpu-2gb in nyc3, 203.0.113.5)",
            "keep volume 'data' (10 GB in nyc3, vol-1)"));
    run_destroy(client, plan, console_, AwaitGone::yes);
    EXPECT_THAT(cloud_.droplets, IsEmpty());
    EXPECT_FALSE(cloud_.records.contains(7));
    EXPECT_TRUE(cloud_.records.contains(8));
    EXPECT_EQ(cloud_.volumes.size(), 1U);
    EXPECT_EQ(
        thrown([&] { static_cast<void>(plan_destroy(client, 5, false)); }),
        "2: there is no droplet 5");
    EXPECT_EQ(
        thrown([&] { static_cast<void>(plan_destroy(client, "shop", nullptr, false)); }),
        "2: there is no droplet 'shop'");
}

TEST_F(DropletPlan, DestroysVolumesOnlyWhenAsked) {
    add_droplet(5, "shop", {"vol-1"});
    cloud_.volumes["vol-1"] = {
        {"name", "data"}, {"region", "nyc3"}, {"size_gigabytes", 10}, {"tags", Json::array()}};
    DigitalOceanApi client = api();
    const DestroyPlan plan = plan_destroy(client, "shop", nullptr, true);
    EXPECT_EQ(plan.lines().back(), "delete volume 'data' (10 GB in nyc3, vol-1) with all its data");
    run_destroy(client, plan, console_, AwaitGone::yes);
    EXPECT_THAT(cloud_.volumes, IsEmpty());
}

TEST_F(DropletPlan, DestroysNoneOfSeveralOfAName) {
    add_droplet(5, "shop");
    add_droplet(6, "shop");
    DigitalOceanApi client = api();
    EXPECT_EQ(
        thrown([&] { static_cast<void>(plan_destroy(client, "shop", nullptr, false)); }),
        "2: there are 2 droplets 'shop'");
}

TEST(CreateJournal, SurvivesWritingAndReading) {
    CreateJournal journal;
    journal.id = "0123456789abcdef";
    journal.api_url = "https://do.example";
    journal.name = "shop";
    journal.image = 7;
    journal.is_requested = true;
    journal.droplet = 5;
    journal.volume_names = {"data"};
    journal.created_volumes = {"vol-1"};
    const std::string text = create_journal_text(journal);
    EXPECT_EQ(create_journal_text(parse_create_journal(text, "create.json")), text);
    EXPECT_THAT(
        thrown([] { static_cast<void>(parse_create_journal("{}", "create.json")); }),
        HasSubstr("has no 'kiln_droplet'"));
    EXPECT_EQ(
        thrown([] { static_cast<void>(parse_create_journal(R"({"kiln_droplet":2})", "c.json")); }),
        "1: 'c.json' has format 2, this kiln reads 1");
}

TEST(CreateJournal, IsForOneProcessAtATimeAndGoneWhenItIsRemoved) {
    const TempDir top(temporary_root(), "kiln-create-journal");
    const CreateJournalStore store(top.path());
    EXPECT_FALSE(store.find("https://do.example", "shop").has_value());
    std::string id;
    {
        OpenCreateJournal journal = store.open("https://do.example", "shop");
        id = journal->id;
        EXPECT_EQ(id.size(), 16U);
        journal.save();
        EXPECT_EQ(
            thrown([&] { static_cast<void>(store.open("https://do.example", "shop")); }),
            "1: another kiln process is creating the droplet 'shop'");
    }
    OpenCreateJournal again = store.open("https://do.example", "shop");
    EXPECT_EQ(again->id, id);
    EXPECT_NE(store.open("https://other.example", "shop")->id, id);
    again.remove();
    EXPECT_FALSE(store.find("https://do.example", "shop").has_value());
}

} // namespace
} // namespace kiln
