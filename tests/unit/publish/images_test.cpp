// SPDX-License-Identifier: MIT
#include "publish/digitalocean/images.hpp"
#include "support/expect_error.hpp"
#include "support/fake_http_client.hpp"
#include "support/scripted_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using test::Reply;
using testing::ElementsAre;
using testing::StartsWith;

class CloudImages : public testing::Test {
  protected:
    void SetUp() override {
        http_.purpose = HttpPurpose::api;
        http_.script = [this](const HttpRequest&) { return reply_; };
    }

    DigitalOceanApi api() {
        ApiOptions options;
        options.base_url = "https://do.example";
        options.retry = test::impatient(1);
        return DigitalOceanApi(http_, "token", options);
    }

    test::ScriptedClient http_;
    Reply reply_;
};

TEST_F(CloudImages, AreReadWithWhatTheApiWritesInDifferentWays) {
    reply_.body = R"({"image":{"id":7,"name":"shop","type":"custom","status":"NEW",
        "error_message":" ","regions":[],"tags":null,"min_disk_size":null,"size_gigabytes":2.5,
        "created_at":"2026-01-01T00:00:00Z"}})";
    auto client = api();
    auto image = find_image(client, 7);
    ASSERT_TRUE(image);
    EXPECT_EQ(image->status, "new");
    EXPECT_FALSE(image->has_failed());
    EXPECT_FALSE(image->is_available());
    EXPECT_DOUBLE_EQ(image->gigabytes, 2.5);
    reply_.body = R"({"image":{"id":7,"status":"AVAILABLE","error_message":null}})";
    EXPECT_TRUE(find_image(client, 7)->is_available());
    for (const char* failed :
         {R"({"image":{"id":7,"status":"deleted"}})",
          R"({"image":{"id":7,"status":"Retired"}})",
          R"({"image":{"id":7,"status":"pending","error_message":" no boot "}})"}) {
        reply_.body = failed;
        EXPECT_TRUE(find_image(client, 7)->has_failed()) << failed;
    }
    EXPECT_EQ(find_image(client, 7)->error_message, "no boot");
}

TEST_F(CloudImages, AreRefusedWhenTheyAreNotWhatTheSpecificationSays) {
    auto client = api();
    for (const char* body :
         {"{}",
          R"({"image":[]})",
          R"({"image":{"id":"7"}})",
          R"({"image":{"id":-7}})",
          R"({"image":{"id":7,"regions":"nyc3"}})",
          R"({"image":{"id":7,"tags":[1]}})"}) {
        reply_.body = body;
        EXPECT_THAT(
            test::thrown([&] { static_cast<void>(find_image(client, 7)); }),
            StartsWith("5: the answer of DigitalOcean's API "))
            << body;
    }
}

TEST_F(CloudImages, MayBeDeletedAlready) {
    auto client = api();
    reply_ = {422, R"({"id":"x","message":"Can not delete an already deleted image"})"};
    delete_image(client, 7);
    reply_ = {404, R"({"id":"not_found","message":"gone"})"};
    delete_image(client, 7);
    reply_ = {422, R"({"id":"x","message":"Image is in use"})"};
    EXPECT_EQ(
        test::thrown([&] { delete_image(client, 7); }),
        "5: cannot delete image 7: Image is in use (status 422, x)");
}

TEST_F(CloudImages, AreTransferredByAnAction) {
    auto client = api();
    reply_ = {
        201,
        R"({"action":{"id":9,"status":"in-progress","type":"transfer","region_slug":"ams3"}})"};
    const ImageAction action = start_transfer(client, 7, "ams3");
    EXPECT_EQ(action.id, 9U);
    EXPECT_EQ(action.region, "ams3");
    EXPECT_THAT(
        http_.seen,
        ElementsAre(
            R"(POST https://do.example/v2/images/7/actions <- {"type":"transfer","region":"ams3"})"));
    reply_.body = R"({"id":9,"status":"completed","region_slug":null})";
    EXPECT_EQ(find_image_action(client, 7, 9)->status, "completed");
}

TEST(CloudRegions, MustBeThereAndTakeTransfers) {
    const std::vector<CloudRegion> known{
        {"nyc3", "New York 3", true, true},
        {"old1", "Old 1", true, false},
        {"fra1", "Frankfurt 1", false, true}};
    const auto thrown = [&](const std::vector<std::string>& wanted) {
        return test::thrown([&] { require_regions(known, wanted); });
    };
    EXPECT_EQ(thrown({"nyc3"}), "no error");
    EXPECT_EQ(thrown({"old1", "nyc3"}), "no error");
    EXPECT_EQ(thrown({"nyc3", "old1"}), "2: images cannot be transferred to region 'old1'");
    EXPECT_EQ(thrown({"fra1"}), "2: region 'fra1' is not available now");
    EXPECT_EQ(thrown({"nyc9"}), "2: DigitalOcean has no region 'nyc9'");
}

TEST(CloudTags, HaveAGrammar) {
    EXPECT_TRUE(is_cloud_tag("kiln-publish:0_a"));
    EXPECT_TRUE(is_cloud_tag(std::string(255, 'a')));
    for (const std::string& bad :
         {std::string(),
          std::string("a b"),
          std::string("a&b=c"),
          std::string("\xc3\xa4"),
          std::string(256, 'a'),
          std::string("a\0b", 3)}) {
        EXPECT_FALSE(is_cloud_tag(bad)) << bad;
    }
    EXPECT_EQ(distribution_of("debian"), "Debian");
    EXPECT_EQ(distribution_of(""), "Unknown");
}

} // namespace
} // namespace kiln
