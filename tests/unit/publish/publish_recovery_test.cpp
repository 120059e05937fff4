// SPDX-License-Identifier: MIT
// What is left of a publish that is killed, interrupted or meets a fault, and what becomes of it.
#include "support/expect_error.hpp"
#include "support/publish_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using test::FakeDigitalOcean;
using test::PublishFixture;
using testing::HasSubstr;

using Fault = FakeDigitalOcean::Fault;
using std::chrono::milliseconds;

const std::vector<std::string> kThree{"nyc3", "ams3", "sgp1"};

TEST(PublishRecovery, EndsTheSameWhereverItIsKilled) {
    int kills = 0;
    for (int step = 0;; ++step) {
        PublishFixture fixture;
        fixture.set_regions(kThree);
        if (!fixture.run_killed_at(step)) {
            break;
        }
        ++kills;
        fixture.run();
        fixture.expect_published(kThree, fmt::format("killed at step {}", step));
    }
    EXPECT_GT(kills, 50);
}

TEST(PublishRecovery, EndsTheSameWhenItIsKilledTwice) {
    for (int step = 0;; step += 7) {
        bool is_over = false;
        for (int second = 0;; second += 9) {
            PublishFixture fixture;
            fixture.set_regions({"nyc3", "ams3"});
            is_over = !fixture.run_killed_at(step);
            if (is_over || !fixture.run_killed_at(second)) {
                break;
            }
            fixture.run();
            fixture.expect_published(
                {"nyc3", "ams3"}, fmt::format("killed at steps {} and {}", step, second));
        }
        if (is_over) {
            break;
        }
    }
}

TEST(PublishRecovery, NeverRemovesTheUploadBeforeTheImageIsAvailable) {
    PublishFixture fixture;
    for (int step = 0; fixture.run_killed_at(step); ++step) {
        const auto living = fixture.cloud.living();
        if (!living.empty() && !fixture.upload.is_public) {
            EXPECT_TRUE(fixture.cloud.is_imported(*living.front())) << step;
        }
        fixture.cloud.now += milliseconds(500);
    }
    fixture.expect_published({"nyc3"}, "killed again and again");
}

TEST(PublishRecovery, GetsOverTwoHoursOfTransferAndTwoKills) {
    PublishFixture fixture;
    fixture.set_regions({"nyc3", "ams3"});
    fixture.cloud.transfer_time = std::chrono::hours(2);
    EXPECT_TRUE(fixture.run_killed_at(60));
    fixture.cloud.now += std::chrono::minutes(30);
    EXPECT_TRUE(fixture.run_killed_at(60));
    fixture.run();
    fixture.expect_published({"nyc3", "ams3"}, "");
}

TEST(PublishRecovery, GetsOverEveryFaultOfEveryRequest) {
    for (const Fault fault : {Fault::busy, Fault::error, Fault::page, Fault::reset, Fault::lost}) {
        for (std::size_t failing = 0;; ++failing) {
            PublishFixture fixture;
            fixture.set_regions({"nyc3", "ams3"});
            std::size_t count = 0;
            bool has_failed = false;
            fixture.cloud.fault_of = [&](const std::string&) {
                const bool fails = count++ == failing;
                has_failed = has_failed || fails;
                return fails ? fault : Fault::none;
            };
            fixture.run();
            fixture.expect_published(
                {"nyc3", "ams3"},
                fmt::format("fault {} of request {}", static_cast<int>(fault), failing));
            if (!has_failed) {
                break;
            }
        }
    }
}

TEST(PublishRecovery, AdoptsAnImageWhoseAnswerWasLost) {
    PublishFixture fixture;
    bool is_first = true;
    fixture.cloud.fault_of = [&](const std::string& line) {
        return line == "POST /v2/images" && std::exchange(is_first, false) ? Fault::lost
                                                                           : Fault::none;
    };
    fixture.run();
    fixture.expect_published({"nyc3"}, "");
    EXPECT_THAT(fixture.messages(), HasSubstr("image 100 was created by the request before"));
    EXPECT_EQ(
        std::count(fixture.cloud.seen.begin(), fixture.cloud.seen.end(), "POST /v2/images"), 1);
}

TEST(PublishRecovery, DeletesWhatALostRequestMadeLater) {
    for (const std::uint64_t late : {50U, 999U}) {
        PublishFixture fixture;
        int posts = 0;
        fixture.cloud.fault_of = [&](const std::string& line) {
            if (line == "POST /v2/images") {
                return posts++ == 0 ? Fault::page : Fault::none;
            }
            // The first request comes through when the second one has its image.
            if (posts == 2 && !fixture.cloud.images.contains(late)) {
                FakeDigitalOcean::Image copy = *fixture.cloud.living().front();
                copy.id = late;
                fixture.cloud.images.emplace(late, std::move(copy));
            }
            return Fault::none;
        };
        EXPECT_EQ(fixture.run().image.id, 100U);
        fixture.expect_published({"nyc3"}, "");
        EXPECT_TRUE(fixture.cloud.images.at(late).is_deleted);
    }
}

TEST(PublishRecovery, LeavesNothingWhenTheImportFailsAndItIsKilled) {
    for (int step = 0;; ++step) {
        PublishFixture fixture;
        fixture.cloud.error_message = "no";
        bool is_killed = false;
        try {
            is_killed = fixture.run_killed_at(step);
        } catch (const Error&) {
            break;
        }
        ASSERT_TRUE(is_killed);
        EXPECT_THROW(fixture.run(), Error) << step;
        EXPECT_FALSE(fixture.upload.is_public) << step;
        EXPECT_TRUE(fixture.cloud.living().empty()) << step;
        EXPECT_EQ(fixture.journal().step, PublishStep::failed) << step;
    }
}

TEST(CleanUpOfPublish, LeavesNothingWhereverThePublishWasKilled) {
    for (int step = 0;; ++step) {
        PublishFixture fixture;
        fixture.set_regions({"nyc3", "ams3"});
        if (!fixture.run_killed_at(step)) {
            break;
        }
        fixture.in_new_process([](ImagePublisher& publisher) { publisher.clean_up(true); });
        EXPECT_FALSE(fixture.upload.is_public) << step;
        if (fixture.journal().step != PublishStep::done) {
            EXPECT_TRUE(fixture.cloud.living().empty()) << step;
        }
    }
}

TEST(CleanUpOfPublish, DoesNotBreakAnImport) {
    PublishFixture fixture;
    PublishOptions options;
    options.wait = false;
    fixture.run(options);
    const auto clean = [&](bool delete_image) {
        return test::thrown([&] {
            fixture.in_new_process(
                [&](ImagePublisher& publisher) { publisher.clean_up(delete_image); });
        });
    };
    EXPECT_EQ(clean(false), "1: image 100 of publish '0123abcd' is still being imported");
    EXPECT_TRUE(fixture.upload.is_public);
    fixture.cloud.now += milliseconds(60'000);
    EXPECT_EQ(clean(false), "no error");
    EXPECT_FALSE(fixture.upload.is_public);
    EXPECT_EQ(fixture.cloud.living().size(), 1U);
}

TEST(CleanUpOfPublish, LeavesImagesOfOthersAlone) {
    PublishFixture fixture;
    fixture.run();
    PublishJournal again = PublishFixture().journal();
    again.id = "aaaabbbb";
    again.step = PublishStep::transfer;
    again.image = 100;
    again.was_there = true;
    fixture.write(again);
    fixture.in_new_process([](ImagePublisher& publisher) { publisher.clean_up(true); });
    EXPECT_EQ(fixture.cloud.living().size(), 1U);
}

} // namespace
} // namespace kiln
