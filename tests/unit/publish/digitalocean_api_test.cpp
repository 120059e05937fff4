// SPDX-License-Identifier: MIT
#include "publish/digitalocean/api.hpp"
#include "support/expect_error.hpp"
#include "support/fake_http_client.hpp"
#include "support/scripted_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using test::Reply;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

using Json = nlohmann::ordered_json;

const std::string kToken = "dop_v1_planted";

class DigitalOceanApiTest : public testing::Test {
  protected:
    void SetUp() override {
        http_.purpose = HttpPurpose::api;
        http_.script = [this](const HttpRequest& request) {
            EXPECT_EQ(test::authorization(request), "Bearer " + kToken);
            EXPECT_FALSE(request.follow_redirects);
            KILN_CHECK(!replies_.empty());
            const auto next = replies_.front();
            replies_.erase(replies_.begin());
            if (next.status == 0) {
                throw TransferError("cannot fetch 'x': connection reset", true);
            }
            return next;
        };
    }

    DigitalOceanApi api(const std::string& base = "https://do.example") {
        ApiOptions options;
        options.base_url = base;
        options.retry = test::impatient(6, &waits_);
        options.clock.wait = [this](std::chrono::milliseconds delay) { paced_ += delay; };
        return DigitalOceanApi(http_, kToken, options);
    }

    test::ScriptedClient http_;
    std::vector<Reply> replies_;
    std::vector<int> waits_;
    std::chrono::milliseconds paced_{0};
};

TEST_F(DigitalOceanApiTest, GoesToHttpsOrThisMachineOnly) {
    for (const char* good :
         {"https://do.example",
          "https://do.example/proxy/",
          "http://127.0.0.1:4011",
          "http://[::1]:80"}) {
        EXPECT_EQ(test::thrown([&] { api(good); }), "no error") << good;
    }
    for (const char* bad :
         {"http://do.example",
          "ftp://do.example",
          "file:///etc",
          "do.example",
          "",
          "https://me:pw@do.example",
          "https://do.example/?a=b",
          "https://do.example#x",
          "http://127.0.0.1.evil.example"}) {
        EXPECT_THAT(test::thrown([&] { api(bad); }), StartsWith("2: ")) << bad;
    }
}

TEST_F(DigitalOceanApiTest, RefusesTokensThatAreNoneWithoutShowingThem) {
    for (const char* bad : {"", "a b", "a\nX-Evil: 1", "t\xc3\xb6ken"}) {
        const std::string thrown = test::thrown([&] { DigitalOceanApi(http_, bad); });
        EXPECT_THAT(thrown, StartsWith("2: the token for DigitalOcean's API is not valid"));
        EXPECT_THAT(thrown, Not(HasSubstr("Evil")));
    }
}

TEST_F(DigitalOceanApiTest, RepeatsWhatMayBeRepeated) {
    replies_ = {
        {429, R"({"id":"too_many_requests","message":"limit"})", {{"Retry-After", "7"}}},
        {500, "{}"},
        {504, "<html>gateway</html>"},
        {0},
        {200, R"({"account":{}})"}};
    EXPECT_EQ(api().get("/v2/account", "look"), Json::parse(R"({"account":{}})"));
    EXPECT_THAT(waits_, ElementsAre(7000, 1000, 2000, 4000));
    replies_ = {{503}, {204}};
    api().remove("/v2/images/1", "delete image 1");
    replies_ = {{0}, {200, "{}"}};
    EXPECT_EQ(api().put("/v2/images/1", {{"name", "x"}}, "rename image 1"), Json::object());
    EXPECT_EQ(http_.seen.back(), R"(PUT https://do.example/v2/images/1 <- {"name":"x"})");
    EXPECT_TRUE(replies_.empty());
}

TEST_F(DigitalOceanApiTest, GivesUpAfterSixTries) {
    replies_.assign(6, Reply{502, "bad gateway"});
    EXPECT_EQ(
        test::thrown([&] { static_cast<void>(api().get("/v2/account", "look")); }),
        "5: cannot look: DigitalOcean's API gave no reason (status 502)");
    replies_.assign(6, Reply{0});
    EXPECT_EQ(
        test::thrown([&] { static_cast<void>(api().get("/v2/account", "look")); }),
        "1: cannot fetch 'x': connection reset");
    EXPECT_TRUE(replies_.empty());
}

TEST_F(DigitalOceanApiTest, NeverRepeatsAPostWhoseOutcomeIsUnclear) {
    for (const Reply& reply : {Reply{0}, Reply{500, "{}"}, Reply{504, "<html>"}, Reply{408}}) {
        replies_ = {reply};
        EXPECT_THROW(
            static_cast<void>(api().post("/v2/images", {{"name", "x"}}, "create an image")),
            UnclearOutcome)
            << reply.status;
        EXPECT_TRUE(replies_.empty());
    }
    EXPECT_TRUE(waits_.empty());
}

TEST_F(DigitalOceanApiTest, RepeatsAPostThatWasNotDone) {
    replies_ = {{429, "", {{"retry-after", "3"}}}, {202, R"({"image":{"id":1}})"}};
    EXPECT_EQ(
        api().post("/v2/images", {{"name", "x"}}, "create"), Json::parse(R"({"image":{"id":1}})"));
    EXPECT_THAT(waits_, ElementsAre(3000));
}

TEST_F(DigitalOceanApiTest, WaitsWhenNothingIsLeftOfTheLimit) {
    replies_ = {
        {200, "{}", {{"RateLimit-Remaining", "0"}, {"RateLimit-Reset", "99999999999"}}},
        {200, "{}"}};
    auto client = api();
    static_cast<void>(client.get("/v2/a", "look"));
    EXPECT_EQ(paced_.count(), 0);
    static_cast<void>(client.get("/v2/a", "look"));
    EXPECT_GT(paced_.count(), 59'000);
    EXPECT_LE(paced_.count(), 60'000);
}

TEST_F(DigitalOceanApiTest, SaysWhatTheApiSays) {
    const auto refusal = [&](int status, const std::string& body) {
        replies_ = {{status, body}};
        return test::thrown([&] { static_cast<void>(api().get("/v2/x", "look")); });
    };
    EXPECT_EQ(
        refusal(422, R"({"id":"unprocessable_entity","message":"region is not there"})"),
        "5: cannot look: region is not there (status 422, unprocessable_entity)");
    EXPECT_EQ(
        refusal(400, R"({"error":"Bad","messages":["name","size"],"root_causes":[]})"),
        "5: cannot look: Bad; name; size (status 400)");
    EXPECT_EQ(
        refusal(401, R"({"id":"unauthorized","message":"\u001b[2Jno"})"),
        "5: cannot look: \\x1b[2Jno (status 401, unauthorized)");
    for (const char* body :
         {"<html>", "", "[]", "null", R"({"id":7,"message":{}})", "{\"message\":\"\xff\"}"}) {
        EXPECT_EQ(
            refusal(403, body), "5: cannot look: DigitalOcean's API gave no reason (status 403)");
    }
    EXPECT_EQ(refusal(302, ""), "5: cannot look: DigitalOcean's API gave no reason (status 302)");
}

TEST_F(DigitalOceanApiTest, TakesNoAnswerThatIsNotAnObject) {
    for (const std::string& body :
         {std::string("<html>"),
          std::string("[]"),
          std::string(""),
          std::string(100, '['),
          std::string("{\"a\":1e999}")}) {
        replies_ = {{200, body}};
        EXPECT_THAT(
            test::thrown([&] { static_cast<void>(api().get("/v2/x", "look")); }),
            StartsWith("5: the answer of DigitalOcean's API when asked to look is not valid: "));
    }
    replies_ = {{200, std::string(9U << 20U, ' ')}};
    EXPECT_EQ(
        test::thrown([&] { static_cast<void>(api().get("/v2/x", "look")); }),
        "5: the response of DigitalOcean's API is larger than 8.0 MiB");
}

TEST_F(DigitalOceanApiTest, TakesWhatIsGoneAsRemoved) {
    replies_ = {{404, R"({"id":"not_found","message":"gone"})"}};
    api().remove("/v2/images/1", "delete image 1");
    replies_ = {{404, R"({"id":"not_found","message":"gone"})"}};
    EXPECT_EQ(api().find("/v2/images/1", "look"), std::nullopt);
    replies_ = {{422, R"({"id":"x","message":"in use"})"}};
    EXPECT_EQ(
        test::thrown([&] { api().remove("/v2/images/1", "delete image 1"); }),
        "5: cannot delete image 1: in use (status 422, x)");
}

TEST_F(DigitalOceanApiTest, ReadsAllPagesOfAList) {
    replies_ = {
        {200,
         R"({"images":[1,2],"links":{"pages":{"next":"https://do.example/v2/images?page=2"}}})"},
        {200, R"({"images":[3],"links":{"pages":{"next":"/v2/images?page=3"}}})"},
        {200, R"({"images":[4],"links":{}})"}};
    EXPECT_THAT(api().list("/v2/images", "images", "list"), ElementsAre(1, 2, 3, 4));
    EXPECT_THAT(
        http_.seen,
        ElementsAre(
            "GET https://do.example/v2/images?per_page=200",
            "GET https://do.example/v2/images?page=2",
            "GET https://do.example/v2/images?page=3"));
    replies_ = {{200, R"({"images":[]})"}};
    EXPECT_TRUE(api().list("/v2/images?private=true", "images", "list").empty());
    EXPECT_EQ(http_.seen.back(), "GET https://do.example/v2/images?private=true&per_page=200");
}

TEST_F(DigitalOceanApiTest, FollowsAPageToNoOtherServer) {
    for (const char* next :
         {"https://evil.example/v2/images?page=2",
          "http://do.example/v2/images?page=2",
          "https://do.example:444/v2",
          "//evil.example/",
          "https://a@do.example/v2"}) {
        replies_ = {
            {200, fmt::format(R"({{"images":[],"links":{{"pages":{{"next":"{}"}}}}}})", next)}};
        EXPECT_THAT(
            test::thrown([&] { static_cast<void>(api().list("/v2/images", "images", "list")); }),
            StartsWith("5: the next page of 'https://do.example/v2/images' is on another server"))
            << next;
    }
}

TEST_F(DigitalOceanApiTest, EndsWithServersWhosePagesDoNotEnd) {
    http_.script = [](const HttpRequest& request) {
        const std::string page = std::to_string(request.url.size());
        std::string items = "0";
        for (int i = 0; i < 500; ++i) {
            items += ",0";
        }
        return Reply{
            200,
            fmt::format(
                R"({{"images":[{}],"links":{{"pages":{{"next":"{}0"}}}}}})", items, request.url)};
    };
    EXPECT_EQ(
        test::thrown([&] { static_cast<void>(api().list("/v2/images", "images", "list images")); }),
        "5: cannot list images: more than 20000 items");
    http_.script = [](const HttpRequest&) {
        return Reply{
            200,
            R"({"images":[],"links":{"pages":{"next":"https://do.example/v2/images?per_page=200"}}})"};
    };
    EXPECT_TRUE(
        api().list("/v2/images", "images", "list images").empty()); // a page that names itself
    http_.script = [](const HttpRequest&) { return Reply{200, R"({"image":[]})"}; };
    EXPECT_THAT(
        test::thrown([&] { static_cast<void>(api().list("/v2/images", "images", "list images")); }),
        HasSubstr("has no list 'images'"));
}

} // namespace
} // namespace kiln
