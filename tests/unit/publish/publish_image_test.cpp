// SPDX-License-Identifier: MIT
#include "publish/digitalocean/publish_image.hpp"
#include "support/expect_error.hpp"
#include "support/publish_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using test::FakeDigitalOcean;
using test::PublishFixture;
using testing::HasSubstr;
using testing::StartsWith;
using testing::UnorderedElementsAre;

using Fault = FakeDigitalOcean::Fault;
using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;

const std::vector<std::string> kThree{"nyc3", "ams3", "sgp1"};

TEST(PublishImage, UploadsCreatesWaitsTransfersAndRemovesTheUpload) {
    PublishFixture fixture;
    fixture.set_regions(kThree);
    const PublishReport report = fixture.run();
    fixture.expect_published(kThree, "");
    EXPECT_THAT(report.image.regions, UnorderedElementsAre("nyc3", "ams3", "sgp1"));
    EXPECT_FALSE(report.was_there);
    EXPECT_FALSE(report.is_waiting);
    const Json& request = fixture.cloud.living().front()->request;
    EXPECT_EQ(request.at("url"), "https://space.example/random.qcow2");
    EXPECT_EQ(request.at("distribution"), "Debian");
    // At the same time: two minutes each, not one after the other.
    EXPECT_LT(fixture.cloud.now, milliseconds(1'000'000 + 60'000 + 120'000 + 60'000));
}

TEST(PublishImage, DoesNothingForAContentThatIsThere) {
    PublishFixture fixture;
    fixture.run();
    PublishJournal again = PublishFixture().journal();
    again.id = "aaaabbbb";
    fixture.write(again);
    fixture.cloud.seen.clear();
    const PublishReport report = fixture.run();
    EXPECT_TRUE(report.was_there);
    EXPECT_EQ(report.image.id, 100U);
    EXPECT_EQ(fixture.upload.puts, 1);
    for (const std::string& line : fixture.cloud.seen) {
        EXPECT_THAT(line, StartsWith("GET "));
    }
    EXPECT_EQ(fixture.journal().step, PublishStep::done);
}

TEST(PublishImage, TransfersOnlyToTheRegionsThatAreMissing) {
    PublishFixture fixture;
    fixture.set_regions({"nyc3", "ams3"});
    fixture.run();
    PublishJournal again = PublishFixture().journal();
    again.id = "aaaabbbb";
    again.regions = {"sgp1", "ams3", "nyc3"};
    fixture.write(again);
    const PublishReport report = fixture.run();
    EXPECT_TRUE(report.was_there);
    ASSERT_EQ(fixture.cloud.actions.size(), 2U);
    EXPECT_EQ(fixture.cloud.actions.back().region, "sgp1");
    EXPECT_EQ(fixture.cloud.living().size(), 1U);
}

TEST(PublishImage, PassesOverImagesThatFailed) {
    PublishFixture fixture;
    fixture.cloud.error_message = "no boot sector";
    EXPECT_THROW(fixture.run(), Error);
    fixture.cloud.error_message.clear();
    PublishJournal again = PublishFixture().journal();
    again.id = "aaaabbbb";
    fixture.write(again);
    EXPECT_FALSE(fixture.run().was_there);
}

TEST(PublishImage, FailsWithTheReasonOfTheImport) {
    PublishFixture fixture;
    fixture.cloud.error_message = "Image is not bootable\x1b[2J";
    EXPECT_EQ(
        test::thrown([&] { fixture.run(); }),
        "5: DigitalOcean could not import image 100: Image is not bootable\\x1b[2J");
    EXPECT_FALSE(fixture.upload.is_public);
    EXPECT_TRUE(fixture.cloud.living().empty());
    EXPECT_EQ(fixture.journal().step, PublishStep::failed);
    EXPECT_EQ(
        test::thrown([&] { fixture.run(); }),
        "5: DigitalOcean could not import image 100: Image is not bootable\\x1b[2J");
}

TEST(PublishImage, FailsWhenTheImageIsGone) {
    PublishFixture fixture;
    EXPECT_TRUE(fixture.run().image.id == 100);
    PublishJournal journal = fixture.journal();
    journal.step = PublishStep::import;
    journal.image = 7;
    fixture.write(journal);
    EXPECT_EQ(test::thrown([&] { fixture.run(); }), "5: image 7 is gone: DigitalOcean deleted it");
}

TEST(PublishImage, FailsForGoodWhenTheImageIsRefused) {
    PublishFixture fixture;
    fixture.cloud.fault_of = [](const std::string& line) {
        return line == "POST /v2/images" ? Fault::refused : Fault::none;
    };
    EXPECT_EQ(
        test::thrown([&] { fixture.run(); }),
        "5: cannot create the image 'shop': no (status 422, unprocessable_entity)");
    EXPECT_FALSE(fixture.upload.is_public);
    EXPECT_EQ(fixture.journal().step, PublishStep::failed);
}

TEST(PublishImage, FinishesTheOtherRegionsWhenOneFails) {
    PublishFixture fixture;
    fixture.set_regions(kThree);
    fixture.cloud.broken_region = "ams3";
    EXPECT_EQ(test::thrown([&] { fixture.run(); }), "5: image 100 is not available in ams3");
    EXPECT_FALSE(fixture.upload.is_public);
    EXPECT_EQ(fixture.journal().step, PublishStep::transfer);
    fixture.cloud.broken_region.clear();
    fixture.cloud.actions.erase(fixture.cloud.actions.begin());
    const PublishReport report = fixture.run();
    fixture.expect_published(kThree, "resumed");
    EXPECT_THAT(report.image.regions, UnorderedElementsAre("nyc3", "ams3", "sgp1"));
}

TEST(PublishImage, StopsWaitingAfterItsTimeAndGoesOnLater) {
    PublishFixture fixture;
    fixture.cloud.import_time = std::chrono::hours(24);
    PublishOptions options;
    options.timeout = std::chrono::hours(3);
    EXPECT_EQ(
        test::thrown([&] { fixture.run(options); }),
        "1: the import of image 100 has not ended within 3h00m");
    EXPECT_TRUE(fixture.upload.is_public); // or the import would break
    EXPECT_GE(fixture.cloud.now, milliseconds(1'000'000) + std::chrono::hours(3));
    fixture.cloud.import_time = std::chrono::hours(4);
    fixture.run(options);
    fixture.expect_published({"nyc3"}, "");
}

TEST(PublishImage, WaitsForNothingWhenToldSo) {
    PublishFixture fixture;
    fixture.set_regions({"nyc3", "ams3"});
    PublishOptions options;
    options.wait = false;
    PublishReport report = fixture.run(options);
    EXPECT_TRUE(report.is_waiting);
    EXPECT_EQ(report.image.id, 100U);
    EXPECT_TRUE(fixture.upload.is_public);
    fixture.cloud.now += milliseconds(60'000);
    report = fixture.run(options);
    EXPECT_TRUE(report.is_waiting);
    EXPECT_FALSE(fixture.upload.is_public);
    EXPECT_EQ(fixture.cloud.actions.size(), 1U);
    fixture.cloud.now += milliseconds(120'000);
    report = fixture.run(options);
    EXPECT_FALSE(report.is_waiting);
    fixture.expect_published({"nyc3", "ams3"}, "");
}

TEST(PublishImage, SaysWhatIsLeftWhenTheUploadCannotBeRemoved) {
    PublishFixture fixture;
    fixture.upload.breaks = true;
    EXPECT_EQ(test::thrown([&] { fixture.run(); }), "1: cannot send to 'https://space.example'");
    EXPECT_THAT(fixture.messages(), HasSubstr("'kiln publish cleanup 0123abcd' tries again"));
    EXPECT_NE(fixture.journal().step, PublishStep::done);
    fixture.upload.breaks = false;
    fixture.run();
    fixture.expect_published({"nyc3"}, "");
}

TEST(PublishImage, RemovesAnUploadThatWasRefused) {
    PublishFixture fixture;
    fixture.upload.refuses = true;
    EXPECT_EQ(test::thrown([&] { fixture.run(); }), "5: the bucket is not there");
    EXPECT_TRUE(fixture.journal().is_upload_removed);
    EXPECT_TRUE(fixture.cloud.images.empty());
}

} // namespace
} // namespace kiln
