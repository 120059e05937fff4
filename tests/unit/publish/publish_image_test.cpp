// SPDX-License-Identifier: MIT
#include "publish/digitalocean/publish_image.hpp"
#include "support/expect_error.hpp"
#include "support/fake_digitalocean.hpp"
#include "support/fake_http_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace kiln {
namespace {

using test::FakeDigitalOcean;
using test::Killed;
using test::Killer;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAre;

using Fault = FakeDigitalOcean::Fault;
using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;

/// A place that can be killed between any two things that it does.
class FakeUpload final : public ImageUpload {
  public:
    explicit FakeUpload(Killer& killer) : killer_(killer) {}

    [[nodiscard]] std::string_view kind() const override { return "fake"; }

    void check(const UploadFile&) override {}

    std::string put(const UploadFile&, const Json& state, const Save& save, Job&) override {
        if (refuses) {
            throw Error("the bucket is not there", ExitCode::remote_refused);
        }
        if (!is_public || state.is_null()) {
            save({{"key", "random"}});
            killer_.step();
            is_public = true;
            killer_.step();
            ++puts;
        }
        return "https://space.example/random.qcow2";
    }

    void remove(const Json& state) override {
        killer_.step();
        if (breaks) {
            throw TransferError("cannot send to 'https://space.example'", true);
        }
        if (!state.is_null()) {
            EXPECT_EQ(state.at("key"), "random");
            is_public = false;
        }
        killer_.step();
    }

    bool is_public = false;
    bool refuses = false;
    bool breaks = false; ///< remove() does
    int puts = 0;

  private:
    Killer& killer_;
};

/// What is left when processes end: the account, the upload, and the journal as it was saved.
class World {
  public:
    World() {
        PublishJournal journal;
        journal.id = "0123abcd";
        journal.api_url = "https://do.example";
        journal.file = {"/out/shop/shop.qcow2", "shop.qcow2", 1000, sha256("content")};
        journal.image_name = "shop";
        journal.distribution = "Debian";
        journal.regions = {"nyc3"};
        journal.tags = {"prod"};
        write(journal);
    }

    void write(const PublishJournal& journal) { disk_ = journal_text(journal); }

    [[nodiscard]] PublishJournal journal() const { return parse_journal(disk_, "journal.json"); }

    void set_regions(std::vector<std::string> regions) {
        PublishJournal changed = journal();
        changed.regions = std::move(regions);
        write(changed);
    }

    template <typename Work> auto in_new_process(Work work) {
        ApiOptions options;
        options.base_url = "https://do.example";
        options.clock = cloud.clock();
        options.retry = test::impatient(6);
        DigitalOceanApi api(cloud, "planted-token", options);
        PublishJournal read = journal();
        ImagePublisher publisher(
            api,
            upload,
            read,
            [&] {
                killer.step();
                disk_ = journal_text(read);
                killer.step();
            },
            console);
        return work(publisher);
    }

    PublishReport run(const PublishOptions& options = {}) {
        return in_new_process([&](ImagePublisher& publisher) { return publisher.run(options); });
    }

    /// Whether it was killed before its end.
    bool run_killed_at(int step, const PublishOptions& options = {}) {
        killer.kill_at(step);
        try {
            run(options);
            killer.kill_at(Killer::kNever);
            return false;
        } catch (const Killed&) {
            return true;
        }
    }

    void expect_published(const std::vector<std::string>& regions, const std::string& when) {
        ASSERT_EQ(cloud.living().size(), 1U) << when;
        EXPECT_THAT(
            cloud.living().front()->request.at("tags"),
            ElementsAre("kiln", journal().content_tag(), "kiln-publish-0123abcd", "prod"))
            << when;
        std::vector<std::string> there = cloud.living().front()->regions;
        for (const auto& action : cloud.actions) {
            there.push_back(action.region);
        }
        EXPECT_THAT(there, testing::UnorderedElementsAreArray(regions)) << when;
        EXPECT_FALSE(upload.is_public) << when;
        EXPECT_EQ(journal().step, PublishStep::done) << when;
        EXPECT_TRUE(journal().is_upload_removed) << when;
    }

    [[nodiscard]] std::string messages() const { return messages_.str(); }

    Killer killer;
    FakeDigitalOcean cloud{killer};
    FakeUpload upload{killer};
    std::ostringstream messages_;
    Console console{messages_, {}};

  private:
    std::string disk_;
};

const std::vector<std::string> kThree{"nyc3", "ams3", "sgp1"};

TEST(PublishImage, UploadsCreatesWaitsTransfersAndRemovesTheUpload) {
    World world;
    world.set_regions(kThree);
    const PublishReport report = world.run();
    world.expect_published(kThree, "");
    EXPECT_THAT(report.image.regions, UnorderedElementsAre("nyc3", "ams3", "sgp1"));
    EXPECT_FALSE(report.was_there);
    EXPECT_FALSE(report.is_waiting);
    const Json& request = world.cloud.living().front()->request;
    EXPECT_EQ(request.at("url"), "https://space.example/random.qcow2");
    EXPECT_EQ(request.at("distribution"), "Debian");
    // At the same time: two minutes each, not one after the other.
    EXPECT_LT(world.cloud.now, milliseconds(1'000'000 + 60'000 + 120'000 + 60'000));
}

TEST(PublishImage, EndsTheSameWhereverItIsKilled) {
    int kills = 0;
    for (int step = 0;; ++step) {
        World world;
        world.set_regions(kThree);
        if (!world.run_killed_at(step)) {
            break;
        }
        ++kills;
        world.run();
        world.expect_published(kThree, fmt::format("killed at step {}", step));
    }
    EXPECT_GT(kills, 50);
}

TEST(PublishImage, EndsTheSameWhenItIsKilledTwice) {
    for (int step = 0;; step += 3) {
        bool is_over = false;
        for (int second = 0;; second += 5) {
            World world;
            world.set_regions({"nyc3", "ams3"});
            is_over = !world.run_killed_at(step);
            if (is_over || !world.run_killed_at(second)) {
                break;
            }
            world.run();
            world.expect_published(
                {"nyc3", "ams3"}, fmt::format("killed at steps {} and {}", step, second));
        }
        if (is_over) {
            break;
        }
    }
}

TEST(PublishImage, NeverRemovesTheUploadBeforeTheImageIsAvailable) {
    World world;
    for (int step = 0; world.run_killed_at(step); ++step) {
        const auto living = world.cloud.living();
        if (!living.empty() && !world.upload.is_public) {
            EXPECT_TRUE(world.cloud.is_imported(*living.front())) << step;
        }
        world.cloud.now += milliseconds(500);
    }
    world.expect_published({"nyc3"}, "killed again and again");
}

TEST(PublishImage, GetsOverTwoHoursOfTransferAndTwoKills) {
    World world;
    world.set_regions({"nyc3", "ams3"});
    world.cloud.transfer_time = std::chrono::hours(2);
    EXPECT_TRUE(world.run_killed_at(60));
    world.cloud.now += std::chrono::minutes(30);
    EXPECT_TRUE(world.run_killed_at(60));
    world.run();
    world.expect_published({"nyc3", "ams3"}, "");
}

TEST(PublishImage, GetsOverEveryFaultOfEveryRequest) {
    for (const Fault fault : {Fault::busy, Fault::error, Fault::page, Fault::reset, Fault::lost}) {
        for (std::size_t failing = 0;; ++failing) {
            World world;
            world.set_regions({"nyc3", "ams3"});
            std::size_t count = 0;
            bool has_failed = false;
            world.cloud.fault_of = [&](const std::string&) {
                const bool fails = count++ == failing;
                has_failed = has_failed || fails;
                return fails ? fault : Fault::none;
            };
            world.run();
            world.expect_published(
                {"nyc3", "ams3"},
                fmt::format("fault {} of request {}", static_cast<int>(fault), failing));
            if (!has_failed) {
                break;
            }
        }
    }
}

TEST(PublishImage, AdoptsAnImageWhoseAnswerWasLost) {
    World world;
    bool is_first = true;
    world.cloud.fault_of = [&](const std::string& line) {
        return line == "POST /v2/images" && std::exchange(is_first, false) ? Fault::lost
                                                                           : Fault::none;
    };
    world.run();
    world.expect_published({"nyc3"}, "");
    EXPECT_THAT(world.messages(), HasSubstr("image 100 was created by the request before"));
    EXPECT_EQ(std::count(world.cloud.seen.begin(), world.cloud.seen.end(), "POST /v2/images"), 1);
}

TEST(PublishImage, DeletesWhatALostRequestMadeLater) {
    World world;
    int posts = 0;
    Json late;
    world.cloud.fault_of = [&](const std::string& line) {
        if (line == "POST /v2/images") {
            return posts++ == 0 ? Fault::page : Fault::none;
        }
        // The first request comes through when the second one has its image.
        if (posts == 2 && late.is_null()) {
            FakeDigitalOcean::Image copy = *world.cloud.living().front();
            late = copy.request;
            copy.id = 999;
            world.cloud.images.emplace(999, std::move(copy));
        }
        return Fault::none;
    };
    world.run();
    EXPECT_FALSE(late.is_null());
    world.expect_published({"nyc3"}, "");
    EXPECT_TRUE(world.cloud.images.at(999).is_deleted);
}

TEST(PublishImage, DoesNothingForAContentThatIsThere) {
    World world;
    world.run();
    PublishJournal again = World().journal();
    again.id = "aaaabbbb";
    world.write(again);
    world.cloud.seen.clear();
    const PublishReport report = world.run();
    EXPECT_TRUE(report.was_there);
    EXPECT_EQ(report.image.id, 100U);
    EXPECT_EQ(world.upload.puts, 1);
    for (const std::string& line : world.cloud.seen) {
        EXPECT_THAT(line, StartsWith("GET "));
    }
    EXPECT_EQ(world.journal().step, PublishStep::done);
}

TEST(PublishImage, TransfersOnlyToTheRegionsThatAreMissing) {
    World world;
    world.set_regions({"nyc3", "ams3"});
    world.run();
    PublishJournal again = World().journal();
    again.id = "aaaabbbb";
    again.regions = {"sgp1", "ams3", "nyc3"};
    world.write(again);
    const PublishReport report = world.run();
    EXPECT_TRUE(report.was_there);
    ASSERT_EQ(world.cloud.actions.size(), 2U);
    EXPECT_EQ(world.cloud.actions.back().region, "sgp1");
    EXPECT_EQ(world.cloud.living().size(), 1U);
}

TEST(PublishImage, PassesOverImagesThatFailed) {
    World world;
    world.cloud.error_message = "no boot sector";
    EXPECT_THROW(world.run(), Error);
    world.cloud.error_message.clear();
    PublishJournal again = World().journal();
    again.id = "aaaabbbb";
    world.write(again);
    EXPECT_FALSE(world.run().was_there);
}

TEST(PublishImage, FailsWithTheReasonOfTheImport) {
    World world;
    world.cloud.error_message = "Image is not bootable\x1b[2J";
    EXPECT_EQ(
        test::thrown([&] { world.run(); }),
        "5: DigitalOcean could not import image 100: Image is not bootable\\x1b[2J");
    EXPECT_FALSE(world.upload.is_public);
    EXPECT_TRUE(world.cloud.living().empty());
    EXPECT_EQ(world.journal().step, PublishStep::failed);
    EXPECT_EQ(
        test::thrown([&] { world.run(); }),
        "5: DigitalOcean could not import image 100: Image is not bootable\\x1b[2J");
}

TEST(PublishImage, LeavesNothingWhenTheImportFailsAndItIsKilled) {
    for (int step = 0;; ++step) {
        World world;
        world.cloud.error_message = "no";
        bool is_killed = false;
        try {
            is_killed = world.run_killed_at(step);
        } catch (const Error&) {
            break;
        }
        ASSERT_TRUE(is_killed);
        EXPECT_THROW(world.run(), Error) << step;
        EXPECT_FALSE(world.upload.is_public) << step;
        EXPECT_EQ(world.journal().step, PublishStep::failed) << step;
    }
}

TEST(PublishImage, FailsWhenTheImageIsGone) {
    World world;
    EXPECT_TRUE(world.run().image.id == 100);
    PublishJournal journal = world.journal();
    journal.step = PublishStep::import;
    journal.image = 7;
    world.write(journal);
    EXPECT_EQ(test::thrown([&] { world.run(); }), "5: image 7 is gone: DigitalOcean deleted it");
}

TEST(PublishImage, FailsForGoodWhenTheImageIsRefused) {
    World world;
    world.cloud.fault_of = [](const std::string& line) {
        return line == "POST /v2/images" ? Fault::refused : Fault::none;
    };
    EXPECT_EQ(
        test::thrown([&] { world.run(); }),
        "5: cannot create the image 'shop': no (status 422, unprocessable_entity)");
    EXPECT_FALSE(world.upload.is_public);
    EXPECT_EQ(world.journal().step, PublishStep::failed);
}

TEST(PublishImage, FinishesTheOtherRegionsWhenOneFails) {
    World world;
    world.set_regions(kThree);
    world.cloud.broken_region = "ams3";
    EXPECT_EQ(test::thrown([&] { world.run(); }), "5: image 100 is not available in ams3");
    EXPECT_FALSE(world.upload.is_public);
    EXPECT_EQ(world.journal().step, PublishStep::transfer);
    world.cloud.broken_region.clear();
    world.cloud.actions.erase(world.cloud.actions.begin());
    const PublishReport report = world.run();
    world.expect_published(kThree, "resumed");
    EXPECT_THAT(report.image.regions, UnorderedElementsAre("nyc3", "ams3", "sgp1"));
}

TEST(PublishImage, StopsWaitingAfterItsTimeAndGoesOnLater) {
    World world;
    world.cloud.import_time = std::chrono::hours(24);
    PublishOptions options;
    options.timeout = std::chrono::hours(3);
    EXPECT_EQ(
        test::thrown([&] { world.run(options); }),
        "1: the import of image 100 has not ended within 3h00m");
    EXPECT_TRUE(world.upload.is_public); // or the import would break
    EXPECT_GE(world.cloud.now, milliseconds(1'000'000) + std::chrono::hours(3));
    world.cloud.import_time = std::chrono::hours(4);
    world.run(options);
    world.expect_published({"nyc3"}, "");
}

TEST(PublishImage, WaitsForNothingWhenToldSo) {
    World world;
    world.set_regions({"nyc3", "ams3"});
    PublishOptions options;
    options.wait = false;
    PublishReport report = world.run(options);
    EXPECT_TRUE(report.is_waiting);
    EXPECT_EQ(report.image.id, 100U);
    EXPECT_TRUE(world.upload.is_public);
    world.cloud.now += milliseconds(60'000);
    report = world.run(options);
    EXPECT_TRUE(report.is_waiting);
    EXPECT_FALSE(world.upload.is_public);
    EXPECT_EQ(world.cloud.actions.size(), 1U);
    world.cloud.now += milliseconds(120'000);
    report = world.run(options);
    EXPECT_FALSE(report.is_waiting);
    world.expect_published({"nyc3", "ams3"}, "");
}

TEST(PublishImage, SaysWhatIsLeftWhenTheUploadCannotBeRemoved) {
    World world;
    world.upload.breaks = true;
    EXPECT_EQ(test::thrown([&] { world.run(); }), "1: cannot send to 'https://space.example'");
    EXPECT_THAT(world.messages(), HasSubstr("'kiln publish cleanup 0123abcd' tries again"));
    EXPECT_NE(world.journal().step, PublishStep::done);
    world.upload.breaks = false;
    world.run();
    world.expect_published({"nyc3"}, "");
}

TEST(PublishImage, RemovesAnUploadThatWasRefused) {
    World world;
    world.upload.refuses = true;
    EXPECT_EQ(test::thrown([&] { world.run(); }), "5: the bucket is not there");
    EXPECT_TRUE(world.journal().is_upload_removed);
    EXPECT_TRUE(world.cloud.images.empty());
}

TEST(CleanUpOfPublish, LeavesNothingWhereverThePublishWasKilled) {
    for (int step = 0;; ++step) {
        World world;
        world.set_regions({"nyc3", "ams3"});
        if (!world.run_killed_at(step)) {
            break;
        }
        world.in_new_process([](ImagePublisher& publisher) { publisher.clean_up(true); });
        EXPECT_FALSE(world.upload.is_public) << step;
        if (world.journal().step != PublishStep::done) {
            EXPECT_TRUE(world.cloud.living().empty()) << step;
        }
    }
}

TEST(CleanUpOfPublish, DoesNotBreakAnImport) {
    World world;
    PublishOptions options;
    options.wait = false;
    world.run(options);
    const auto clean = [&](bool delete_image) {
        return test::thrown([&] {
            world.in_new_process(
                [&](ImagePublisher& publisher) { publisher.clean_up(delete_image); });
        });
    };
    EXPECT_EQ(clean(false), "1: image 100 of publish '0123abcd' is still being imported");
    EXPECT_TRUE(world.upload.is_public);
    world.cloud.now += milliseconds(60'000);
    EXPECT_EQ(clean(false), "no error");
    EXPECT_FALSE(world.upload.is_public);
    EXPECT_EQ(world.cloud.living().size(), 1U);
}

TEST(CleanUpOfPublish, LeavesImagesOfOthersAlone) {
    World world;
    world.run();
    PublishJournal again = World().journal();
    again.id = "aaaabbbb";
    again.step = PublishStep::transfer;
    again.image = 100;
    again.was_there = true;
    world.write(again);
    world.in_new_process([](ImagePublisher& publisher) { publisher.clean_up(true); });
    EXPECT_EQ(world.cloud.living().size(), 1U);
}

} // namespace
} // namespace kiln
