// SPDX-License-Identifier: MIT
// Keys of Spaces for one upload: none is left, whatever happens.
#include "publish/digitalocean/spaces_keys.hpp"
#include "publish/s3/s3_client.hpp"
#include "support/expect_error.hpp"
#include "support/fake_http_client.hpp"
#include "support/scripted_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>

namespace kiln {
namespace {

using Json = nlohmann::ordered_json;
using test::Reply;
using test::thrown;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// The API's keys, in memory.
class KeyServer {
  public:
    std::map<std::string, std::string> keys; ///< access key to name
    unsigned lost_answers = 0;               ///< of the next requests that create one
    std::vector<std::string> bodies;

    Reply answer(const HttpRequest& request, const std::string& body) {
        const std::string path = request.url.substr(std::string("https://do.example").size());
        if (request.method == "POST") {
            return create(body);
        }
        if (request.method == "DELETE") {
            keys.erase(path.substr(path.rfind('/') + 1));
            return {204};
        }
        Json list = Json::array();
        for (const auto& [access, name] : keys) {
            list.push_back({{"name", name}, {"access_key", access}});
        }
        return {200, Json{{"keys", list}}.dump()};
    }

  private:
    Reply create(const std::string& body) {
        bodies.push_back(body);
        const std::string access = "DO" + std::to_string(++count_);
        keys[access] = Json::parse(body).at("name").get<std::string>();
        if (lost_answers > 0) {
            --lost_answers;
            throw TransferError("connection reset", true);
        }
        return {
            201,
            Json{{"key", {{"access_key", access}, {"secret_key", "s3cr3t-" + access}}}}.dump()};
    }

    unsigned count_ = 0;
};

/// An upload that notes what it is asked, and fails when told so.
class NotedUpload final : public ImageUpload {
  public:
    struct Notes {
        std::vector<std::string> calls;
        unsigned unknown_keys = 0; ///< checks that are refused first
        bool fails = false;
    };

    NotedUpload(Notes& notes, S3Credentials keys) : notes_(notes), keys_(std::move(keys)) {}

    [[nodiscard]] std::string_view kind() const override { return "noted"; }

    void check(const UploadFile&) override {
        if (notes_.unknown_keys > 0) {
            --notes_.unknown_keys;
            throw S3Refusal("who is that", 403, "InvalidAccessKeyId");
        }
    }

    [[nodiscard]] std::string
    put(const UploadFile&, const Json& state, const Save& save, Job&) override {
        notes_.calls.push_back("put " + state.dump() + " by " + keys_.secret_key);
        save({{"object", 1}});
        if (notes_.fails) {
            throw Error("no space");
        }
        return "https://x/y";
    }

    void remove(const Json& state) override { notes_.calls.push_back("remove " + state.dump()); }

  private:
    Notes& notes_;
    S3Credentials keys_;
};

class SpacesKeys : public testing::Test {
  protected:
    SpacesKeys() {
        http_.purpose = HttpPurpose::api;
        http_.script = [this](const HttpRequest& request) {
            const std::string& line = http_.seen.back();
            const std::size_t body = line.find(" <- ");
            return server_.answer(
                request, body == std::string::npos ? std::string() : line.substr(body + 4));
        };
        server_.keys["DOOTHER"] = "of somebody else";
    }

    std::string put() {
        Console console(out_, {});
        Job job = console.start("upload");
        return upload_.put({"/x", "x.gz", 1, sha256("x")}, state_, save_, job);
    }

    void expect_no_key_left() const {
        EXPECT_EQ(
            server_.keys, (std::map<std::string, std::string>{{"DOOTHER", "of somebody else"}}));
    }

    static ApiOptions options(std::vector<int>* waits) {
        ApiOptions out;
        out.base_url = "https://do.example";
        out.retry = test::impatient(3);
        out.clock.wait = [waits](std::chrono::milliseconds delay) {
            waits->push_back(static_cast<int>(delay.count()));
        };
        return out;
    }

    std::ostringstream out_;
    KeyServer server_;
    test::ScriptedClient http_;
    std::vector<int> waits_;
    DigitalOceanApi api_{http_, "token", options(&waits_)};
    NotedUpload::Notes notes_;
    UploadWithOwnKey upload_{api_, "bucket", [this](S3Credentials keys) {
                                 return std::make_unique<NotedUpload>(notes_, std::move(keys));
                             }};
    Json state_ = nullptr;
    ImageUpload::Save save_ = [this](const Json& state) { state_ = state; };
};

TEST_F(SpacesKeys, AreForOneBucketAndForOneUpload) {
    upload_.check({});
    EXPECT_EQ(put(), "https://x/y");
    EXPECT_THAT(notes_.calls, ElementsAre("put null by s3cr3t-DO1"));
    const Json body = Json::parse(server_.bodies.at(0));
    EXPECT_EQ(body.at("grants").dump(), R"([{"bucket":"bucket","permission":"readwrite"}])");
    EXPECT_EQ(body.at("name"), state_.at("key_name"));
    EXPECT_EQ(state_.dump().find("s3cr3t"), std::string::npos);
    expect_no_key_left();
    upload_.remove(state_);
    EXPECT_EQ(notes_.calls.back(), R"(remove {"object":1})");
    expect_no_key_left();
}

TEST_F(SpacesKeys, AreDeletedWhenTheUploadFails) {
    notes_.fails = true;
    EXPECT_EQ(thrown([&] { static_cast<void>(put()); }), "1: no space");
    EXPECT_EQ(server_.keys.size(), 2U);
    upload_.remove(state_);
    expect_no_key_left();
}

TEST_F(SpacesKeys, OfAKilledUploadAreReplaced) {
    notes_.fails = true;
    EXPECT_NE(thrown([&] { static_cast<void>(put()); }), "no error");
    notes_.fails = false;
    EXPECT_EQ(put(), "https://x/y");
    EXPECT_EQ(notes_.calls.back(), R"(put {"object":1} by s3cr3t-DO2)");
    expect_no_key_left();
}

TEST_F(SpacesKeys, WhoseAnswersAreLostAreDeleted) {
    server_.lost_answers = 1;
    EXPECT_EQ(put(), "https://x/y");
    EXPECT_THAT(notes_.calls, ElementsAre("put null by s3cr3t-DO2"));
    expect_no_key_left();
    server_.lost_answers = 2;
    state_ = nullptr;
    EXPECT_THAT(thrown([&] { static_cast<void>(put()); }), HasSubstr("create a key of Spaces"));
    upload_.remove(state_);
    expect_no_key_left();
}

TEST_F(SpacesKeys, AreWaitedForUntilSpacesKnowsThem) {
    notes_.unknown_keys = 3;
    EXPECT_EQ(put(), "https://x/y");
    EXPECT_GE(waits_.size(), 3U);
    notes_.unknown_keys = 100;
    EXPECT_EQ(thrown([&] { static_cast<void>(put()); }), "5: who is that");
}

TEST_F(SpacesKeys, AreNotMadeForNothing) {
    upload_.remove(nullptr);
    EXPECT_THAT(server_.bodies, IsEmpty());
    upload_.remove({{"key_name", "kiln-1"}, {"upload", nullptr}});
    EXPECT_THAT(server_.bodies, IsEmpty());
    server_.keys["../x"] = "kiln-1";
    EXPECT_EQ(
        thrown([&] { upload_.remove({{"key_name", "kiln-1"}, {"upload", nullptr}}); }),
        "5: '../x' is not a valid access key of Spaces");
}

} // namespace
} // namespace kiln
