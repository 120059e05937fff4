// SPDX-License-Identifier: MIT
#include "publish/droplet/create_droplet.hpp"
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
using test::Killed;
using test::Killer;
using test::thrown;
using testing::ElementsAre;
using testing::HasSubstr;

using Fault = FakeDroplets::Fault;
using Json = nlohmann::ordered_json;

/// What is left when processes end: the account, and the journal as it was saved.
class CreateFixture {
  public:
    CreateFixture() {
        wish.name = "www.example.org";
        wish.image = "pause";
        wish.region = "nyc3";
        wish.size = "s-1vcpu-2gb";
        wish.ssh_keys = {"laptop"};
        wish.tags = {"prod"};
        wish.project = "shop";
        wish.hosts = {"www.example.org"};
        wish.volumes = {{"data", 50}};
        wish.user_data = "planted-secret";
        CreateJournal journal;
        journal.id = "0123456789abcdef";
        journal.api_url = "https://do.example";
        journal.name = wish.name;
        disk_ = create_journal_text(journal);
        options.wait_for = "/status";
    }

    [[nodiscard]] CreateJournal journal() const { return parse_create_journal(disk_, "create"); }

    DigitalOceanApi api() {
        ApiOptions out;
        out.base_url = "https://do.example";
        out.clock = cloud.clock();
        out.retry = test::impatient(6);
        return {cloud, "planted-token", out};
    }

    CreateReport run() {
        DigitalOceanApi client = api();
        CreateJournal read = journal();
        const CreatePlan plan = plan_create(client, wish, read);
        const DropletProbe probe{
            [this](const std::string& address, std::uint16_t) {
                asked.push_back(address);
                return std::string(asked.size() % 2 == 0 ? "SSH-2.0-OpenSSH" : "");
            },
            [this](const std::string& url) {
                urls.push_back(url);
                return urls.size() % 2 == 0 ? 200 : 502;
            }};
        DropletCreator creator(
            client,
            plan,
            read,
            [&] {
                killer.step();
                disk_ = create_journal_text(read);
                killer.step();
            },
            probe,
            console);
        return creator.run(options);
    }

    bool run_killed_at(int step) {
        killer.kill_at(step);
        try {
            run();
            killer.kill_at(Killer::kNever);
            return false;
        } catch (const Killed&) {
            return true;
        }
    }

    DestroyPlan destroy(bool with_volumes) {
        DigitalOceanApi client = api();
        const CreateJournal read = journal();
        DestroyPlan plan = plan_destroy(client, wish.name, &read, with_volumes);
        run_destroy(client, plan, console, AwaitGone::yes);
        return plan;
    }

    void expect_created(const std::string& when) {
        ASSERT_EQ(cloud.droplets.size(), 1U) << when;
        const auto& [id, droplet] = *cloud.droplets.begin();
        EXPECT_THAT(
            droplet.request.at("tags"),
            ElementsAre("kiln", "kiln-droplet-0123456789abcdef", "prod"))
            << when;
        ASSERT_EQ(cloud.volumes.size(), 1U) << when;
        EXPECT_THAT(cloud.droplets_of(cloud.volumes.begin()->first), ElementsAre(id)) << when;
        EXPECT_THAT(cloud.addresses_of("www"), ElementsAre(FakeDroplets::address_of(id))) << when;
        EXPECT_THAT(cloud.assigned, testing::Contains(fmt::format("do:droplet:{}", id))) << when;
    }

    Killer killer;
    FakeDroplets cloud{killer};
    DropletWish wish;
    CreateOptions options;
    std::vector<std::string> asked;
    std::vector<std::string> urls;
    std::ostringstream messages;
    Console console{messages, {.level = Level::debug}};

  private:
    std::string disk_;
};

TEST(CreateDroplet, MakesVolumeDropletAndRecordAndWaitsForSshAndSite) {
    CreateFixture fixture;
    const CreateReport report = fixture.run();
    fixture.expect_created("");
    EXPECT_TRUE(report.is_finished);
    EXPECT_EQ(report.url, "https://" + report.droplet.public_address + "/status");
    const Json& request = fixture.cloud.droplets.begin()->second.request;
    EXPECT_EQ(request.at("image"), 7);
    EXPECT_THAT(request.at("ssh_keys"), ElementsAre(11));
    EXPECT_EQ(request.at("user_data"), "planted-secret");
    EXPECT_FALSE(request.contains("ipv6"));
    EXPECT_FALSE(request.contains("with_droplet_agent"));
    EXPECT_FALSE(request.contains("public_networking"));
    EXPECT_EQ(fixture.asked.size(), 2U);
    EXPECT_EQ(fixture.messages.str().find("planted"), std::string::npos) << fixture.messages.str();
}

TEST(CreateDroplet, EndsTheSameWhereverItIsKilled) {
    int kills = 0;
    for (int step = 0;; ++step) {
        CreateFixture fixture;
        if (!fixture.run_killed_at(step)) {
            break;
        }
        ++kills;
        fixture.run();
        fixture.expect_created(fmt::format("killed at step {}", step));
    }
    EXPECT_GT(kills, 50);
}

TEST(CreateDroplet, IsUndoneWhereverItIsKilled) {
    for (int step = 0;; ++step) {
        CreateFixture fixture;
        if (!fixture.run_killed_at(step)) {
            break;
        }
        fixture.destroy(true);
        EXPECT_TRUE(fixture.cloud.droplets.empty()) << step;
        EXPECT_TRUE(fixture.cloud.volumes.empty()) << step;
    }
}

TEST(CreateDroplet, GetsOverEveryFaultOfEveryRequest) {
    for (const Fault fault : {Fault::busy, Fault::error, Fault::page, Fault::reset, Fault::lost}) {
        for (std::size_t failing = 0;; ++failing) {
            CreateFixture fixture;
            std::size_t count = 0;
            bool has_failed = false;
            fixture.cloud.fault_of = [&](const std::string&) {
                const bool fails = count++ == failing;
                has_failed = has_failed || fails;
                return fails ? fault : Fault::none;
            };
            fixture.run();
            fixture.expect_created(
                fmt::format("fault {} of request {}", static_cast<int>(fault), failing));
            if (!has_failed) {
                break;
            }
        }
    }
}

TEST(CreateDroplet, AdoptsADropletWhoseAnswerWasLost) {
    CreateFixture fixture;
    bool is_first = true;
    fixture.cloud.fault_of = [&](const std::string& line) {
        return line == "POST /v2/droplets" && std::exchange(is_first, false) ? Fault::lost
                                                                             : Fault::none;
    };
    fixture.run();
    fixture.expect_created("");
    EXPECT_EQ(fixture.cloud.count("POST /v2/droplets"), 1U);
    EXPECT_THAT(fixture.messages.str(), HasSubstr("was created by the request before"));
}

TEST(CreateDroplet, DeletesWhatALostRequestMadeLater) {
    CreateFixture fixture;
    int posts = 0;
    bool is_late = true;
    fixture.cloud.fault_of = [&](const std::string& line) {
        if (line == "POST /v2/droplets") {
            return posts++ == 0 ? Fault::page : Fault::none;
        }
        if (posts == 2 && std::exchange(is_late, false)) {
            FakeDroplets::Droplet late = fixture.cloud.droplets.begin()->second;
            late.request.erase("volumes");
            fixture.cloud.droplets[999] = late;
        }
        return Fault::none;
    };
    fixture.run();
    EXPECT_EQ(fixture.cloud.count("DELETE /v2/droplets/999"), 1U);
    fixture.expect_created("");
}

TEST(CreateDroplet, LeavesOneRecordWhenALostRequestComesLate) {
    CreateFixture fixture;
    fixture.cloud.records.erase(1);
    int posts = 0;
    fixture.cloud.fault_of = [&](const std::string& line) {
        if (line != "POST /v2/domains/example.org/records") {
            return Fault::none;
        }
        if (posts++ == 0) {
            return Fault::page;
        }
        const std::string address = FakeDroplets::address_of(fixture.cloud.droplets.begin()->first);
        fixture.cloud.records[50] = FakeDroplets::record("A", "www", address.c_str());
        return Fault::none;
    };
    fixture.run();
    fixture.expect_created("");
    EXPECT_EQ(posts, 2);
}

TEST(CreateDroplet, TakesAVolumeThatALostRequestMadeLate) {
    CreateFixture fixture;
    int posts = 0;
    fixture.cloud.fault_of = [&](const std::string& line) {
        if (line == "POST /v2/volumes" && posts++ == 0) {
            return Fault::page;
        }
        if (line == "POST /v2/volumes") {
            fixture.cloud.volumes["vol-late"] = {
                {"name", "data"},
                {"region", "nyc3"},
                {"size_gigabytes", 50},
                {"tags", {"kiln", "kiln-droplet-0123456789abcdef"}}};
        }
        return Fault::none;
    };
    fixture.run();
    fixture.expect_created("");
    EXPECT_EQ(fixture.journal().created_volumes, std::vector<std::string>{"vol-late"});
}

TEST(CreateDroplet, TriesAgainForFiveMinutes) {
    CreateFixture fixture;
    int refusals = 10;
    fixture.cloud.fault_of = [&](const std::string& line) {
        return line == "POST /v2/droplets" && refusals-- > 0 ? Fault::try_again : Fault::none;
    };
    fixture.run();
    fixture.expect_created("after refusals");
    EXPECT_EQ(fixture.cloud.count("POST /v2/droplets"), 11U);

    CreateFixture never;
    never.cloud.fault_of = [&](const std::string& line) {
        return line == "POST /v2/droplets" ? Fault::try_again : Fault::none;
    };
    EXPECT_THAT(
        thrown([&] { never.run(); }), HasSubstr("5: cannot create the droplet 'www.example.org'"));
    EXPECT_TRUE(never.cloud.droplets.empty());
    EXPECT_TRUE(never.cloud.volumes.empty()) << "it was made for a droplet that is not to be";
}

TEST(CreateDroplet, RemovesItsVolumeWhenTheDropletIsRefused) {
    CreateFixture fixture;
    fixture.cloud.fault_of = [&](const std::string& line) {
        return line == "POST /v2/droplets" ? Fault::refused : Fault::none;
    };
    EXPECT_EQ(
        thrown([&] { fixture.run(); }),
        "5: cannot create the droplet 'www.example.org': no (status 422, unprocessable_entity)");
    EXPECT_TRUE(fixture.cloud.volumes.empty());
    EXPECT_FALSE(fixture.journal().is_requested);
    EXPECT_THAT(fixture.cloud.addresses_of("www"), ElementsAre("198.51.100.1"));
}

TEST(CreateDroplet, SaysWhatStandsWhenItFailsInTheMiddle) {
    CreateFixture fixture;
    fixture.cloud.has_errored = true;
    try {
        fixture.run();
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "DigitalOcean could not create droplet 101");
        EXPECT_EQ(error.exit_code(), ExitCode::remote_refused);
        EXPECT_THAT(
            error.details(),
            ElementsAre("droplet 101 exists", "volume vol-100 was created and exists"));
        EXPECT_EQ(
            error.hint(), "'kiln droplet destroy www.example.org' removes what there is of it");
    }
}

TEST(CreateDroplet, TimesOutAndGoesOnLater) {
    CreateFixture fixture;
    fixture.cloud.boot_time = std::chrono::hours(3);
    EXPECT_EQ(thrown([&] { fixture.run(); }), "1: droplet 101 did not become active in time");
    fixture.cloud.now += std::chrono::hours(1);
    fixture.run();
    fixture.expect_created("");
}

TEST(CreateDroplet, EndsEarlyWhenNobodyWaits) {
    CreateFixture fixture;
    fixture.options.wait = false;
    const CreateReport report = fixture.run();
    EXPECT_FALSE(report.is_finished);
    EXPECT_EQ(report.droplet.id, 101U);
    EXPECT_THAT(fixture.cloud.addresses_of("www"), ElementsAre("198.51.100.1"));
    fixture.options.wait = true;
    EXPECT_TRUE(fixture.run().is_finished);
    fixture.expect_created("");
}

TEST(CreateDroplet, AsksForNoPublicAddressAndWaitsForNone) {
    CreateFixture fixture;
    fixture.wish.hosts.clear();
    fixture.wish.is_private = true;
    const CreateReport report = fixture.run();
    EXPECT_EQ(report.droplet.public_address, "");
    EXPECT_EQ(report.droplet.private_address, "10.0.0.9");
    EXPECT_EQ(fixture.cloud.droplets.begin()->second.request.at("public_networking"), false);
    EXPECT_TRUE(fixture.asked.empty());
}

TEST(CreateDroplet, TakesAnExistingVolumeAsItIs) {
    CreateFixture fixture;
    fixture.cloud.volumes["vol-1"] = {
        {"name", "data"}, {"region", "nyc3"}, {"size_gigabytes", 100}, {"tags", Json::array()}};
    fixture.wish.volumes = {{"data", 0}};
    fixture.run();
    fixture.expect_created("");
    EXPECT_TRUE(fixture.journal().created_volumes.empty());
}

TEST(CreateDroplet, LeavesOneRecordOfTheName) {
    CreateFixture fixture;
    fixture.cloud.records[3] = FakeDroplets::record("A", "www", "198.51.100.2");
    fixture.cloud.records[4] = FakeDroplets::record("A", "mail", "198.51.100.1");
    fixture.cloud.records[5] = FakeDroplets::record("AAAA", "www", "2001:db8::1");
    fixture.run();
    fixture.expect_created("");
    EXPECT_THAT(fixture.cloud.addresses_of("mail"), ElementsAre("198.51.100.1"));
    EXPECT_TRUE(fixture.cloud.records.contains(5));
    EXPECT_THAT(fixture.messages.str(), HasSubstr("also has an AAAA record, 2001:db8::1"));
}

} // namespace
} // namespace kiln
