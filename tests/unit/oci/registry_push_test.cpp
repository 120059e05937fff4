// SPDX-License-Identifier: MIT
// Uploads: what is repeated when, and where the next request goes.
#include "base/error.hpp"
#include "oci/registry/registry.hpp"
#include "oci/registry/registry_referrers.hpp"
#include "support/fake_http_client.hpp"
#include "support/scripted_client.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

namespace kiln {
namespace {

using test::authorization;
using test::descriptor;
using test::impatient;
using test::Reply;
using test::ScriptedClient;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kContent = "0123456789";

std::unique_ptr<Source> open_content() {
    return std::make_unique<MemorySource>(as_byte_span(kContent));
}

/// A registry with these answers in their order; status 0: the connection breaks.
class Uploads : public testing::Test {
  protected:
    Uploads() {
        http_.script = [this](const HttpRequest&) -> Reply {
            if (replies_.empty()) {
                ADD_FAILURE() << "one request too many: " << http_.seen.back();
                return {400};
            }
            Reply reply = replies_.front();
            replies_.pop_front();
            if (reply.status == 0) {
                throw TransferError("connection reset", true);
            }
            return reply;
        };
    }

    ~Uploads() override { EXPECT_TRUE(replies_.empty()) << replies_.size() << " answers left"; }

    static Reply at(int status, const std::string& location, std::vector<HttpHeader> more = {}) {
        more.push_back({"Location", location});
        return {status, "", std::move(more)};
    }

    BlobOutcome push(BlobUpload upload = {}) {
        RegistryClient client(http_, {"reg.example", "x"}, std::nullopt, impatient(3));
        return client.push_blob(blob_, open_content, upload);
    }

    /// Methods and paths, without what is the same in all.
    [[nodiscard]] std::vector<std::string> seen() const {
        std::vector<std::string> out;
        for (std::string line : http_.seen) {
            for (const auto& [text, by] : std::vector<std::pair<std::string, std::string>>{
                     {"https://reg.example/v2/x/blobs/", ""},
                     {blob_.digest.to_string(), "D"},
                     {"digest=sha256%3A" + blob_.digest.hex(), "digest=D"},
                     {"mount=sha256%3A" + blob_.digest.hex(), "mount=D"}}) {
                const std::size_t found = line.find(text);
                if (found != std::string::npos) {
                    line.replace(found, text.size(), by);
                }
            }
            out.push_back(std::move(line));
        }
        return out;
    }

    ScriptedClient http_;
    std::deque<Reply> replies_;
    OciDescriptor blob_ = descriptor(kContent);
};

TEST_F(Uploads, AreSkippedForWhatIsThere) {
    replies_ = {{200, "", {{"Content-Length", "10"}}}};
    EXPECT_EQ(push(), BlobOutcome::was_there);
}

TEST_F(Uploads, AreSkippedForWhatTheRegistryKeepsElsewhere) {
    replies_ = {at(307, "https://storage.example/x")};
    EXPECT_EQ(push(), BlobOutcome::was_there);
    EXPECT_EQ(http_.seen.size(), 1U);
}

TEST_F(Uploads, BelieveNoAnswerForSomethingElse) {
    for (const std::vector<HttpHeader>& headers :
         {std::vector<HttpHeader>{{"Content-Length", "11"}},
          std::vector<HttpHeader>{{"Content-Type", "text/html; charset=utf-8"}}}) {
        replies_ = {{200, "", headers}, at(202, "u1"), {201}};
        EXPECT_EQ(push(), BlobOutcome::uploaded);
    }
    replies_ = {{200, "", {{"Docker-Content-Digest", sha256("other").to_string()}}}};
    EXPECT_THROW(push(), Error);
}

TEST_F(Uploads, BeginOnceMoreAfterALostAnswer) {
    replies_ = {{404}, at(202, "u1"), {0}, {404}, at(202, "/v2/x/blobs/uploads/u2?s=1"), {201}};
    EXPECT_EQ(push(), BlobOutcome::uploaded);
    EXPECT_THAT(
        seen(),
        ElementsAre(
            "HEAD D",
            "POST uploads/",
            "PUT uploads/u1?digest=D <- 0123456789",
            "HEAD D",
            "POST uploads/",
            "PUT uploads/u2?s=1&digest=D <- 0123456789"));
}

TEST_F(Uploads, EndWhenOnlyTheAnswerWasLost) {
    replies_ = {{404}, at(202, "u1"), {0}, {200}};
    EXPECT_EQ(push(), BlobOutcome::uploaded);
}

/// What a status of the PUT leads to: another session, or the end.
TEST_F(Uploads, AreRepeatedForWhatMayPass) {
    for (const int status : {408, 429, 500, 502, 503, 504, 404, 416}) {
        replies_ = {{404}, at(202, "u1"), {status, "<html>"}, {404}, at(202, "u2"), {201}};
        EXPECT_EQ(push(), BlobOutcome::uploaded) << status;
    }
    for (const int status : {400, 405, 413, 501, 507}) {
        replies_ = {{404}, at(202, "u1"), {status, "<html>"}};
        EXPECT_THROW(push(), RegistryRefusal) << status;
    }
    replies_ = {
        {404},
        at(202, "a"),
        {503},
        {404},
        at(202, "b"),
        {503},
        {404},
        at(202, "c"),
        {503, "<html>"}};
    try {
        push();
        FAIL() << "no exception";
    } catch (const RegistryRefusal& error) {
        EXPECT_EQ(error.status(), 503);
        EXPECT_EQ(
            error.message(),
            fmt::format(
                "registry 'reg.example' rejected blob {}: status 503", blob_.digest.to_string()));
    }
}

TEST_F(Uploads, CountBytesOnce) {
    std::int64_t bytes = 0;
    replies_ = {{404}, at(202, "u1"), {0}, {404}, at(202, "u2"), {201}};
    push({.on_bytes = [&](std::int64_t more) { bytes += more; }});
    EXPECT_EQ(bytes, 10);
}

TEST_F(Uploads, MountWhatAnotherRepositoryHas) {
    replies_ = {{404}, {404}, at(202, "u0"), {201}};
    EXPECT_EQ(push({.mount_from = {"a/b", "x", "c"}}), BlobOutcome::mounted);
    EXPECT_THAT(
        seen(),
        ElementsAre(
            "HEAD D",
            "POST uploads/?mount=D&from=c",
            "POST uploads/",
            "POST uploads/?mount=D&from=a%2Fb"));
}

TEST_F(Uploads, UseTheSessionOfAMountThatFailed) {
    replies_ = {{404}, at(202, "u1"), {201}};
    EXPECT_EQ(push({.mount_from = {"a/b"}}), BlobOutcome::uploaded);
    EXPECT_THAT(seen().back(), "PUT uploads/u1?digest=D <- 0123456789");
}

TEST_F(Uploads, GoOnWhereTheNewestAnswerSays) {
    replies_ = {
        {404},
        at(202, "u1?s=0"),
        at(202, "/v2/x/blobs/uploads/u1?s=1"),
        at(202, "https://reg.example/v2/x/blobs/uploads/u1?s=2"),
        at(202, "u1?s=3"),
        {201}};
    EXPECT_EQ(push({.chunk_bytes = 4}), BlobOutcome::uploaded);
    EXPECT_THAT(
        seen(),
        ElementsAre(
            "HEAD D",
            "POST uploads/",
            "PATCH uploads/u1?s=0 <- 0123",
            "PATCH uploads/u1?s=1 <- 4567",
            "PATCH uploads/u1?s=2 <- 89",
            "PUT uploads/u1?s=3&digest=D"));
}

TEST_F(Uploads, AskHowFarAChunkGot) {
    replies_ = {
        {404},
        at(202, "u1"),
        at(202, "u2"),
        {0},
        at(204, "u3", {{"Range", "0-5"}}),
        at(202, "u4"),
        {201}};
    EXPECT_EQ(push({.chunk_bytes = 4}), BlobOutcome::uploaded);
    EXPECT_THAT(
        seen(),
        ElementsAre(
            "HEAD D",
            "POST uploads/",
            "PATCH uploads/u1 <- 0123",
            "PATCH uploads/u2 <- 4567",
            "GET uploads/u2",
            "PATCH uploads/u3 <- 6789",
            "PUT uploads/u4?digest=D"));
}

TEST_F(Uploads, BeginOnceMoreWhenTheSessionIsForgotten) {
    replies_ = {
        {404},
        at(202, "u1"),
        {503},
        {404}, // a chunk, then the question
        {404},
        at(202, "u2"),
        at(202, "u3"),
        at(202, "u4"),
        {201}};
    EXPECT_EQ(push({.chunk_bytes = 8}), BlobOutcome::uploaded);
}

TEST_F(Uploads, RefuseAnotherDigestThanTheirs) {
    replies_ = {
        {404}, at(202, "u1"), {201, "", {{"Docker-Content-Digest", sha256("other").to_string()}}}};
    try {
        push();
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), ExitCode::remote_refused);
        EXPECT_THAT(error.message(), HasSubstr("states digest " + sha256("other").to_string()));
    }
}

TEST_F(Uploads, SendNoContentThatChanged) {
    replies_ = {{404}, at(202, "u1"), {201}};
    blob_.digest = sha256("9876543210");
    EXPECT_THROW(push(), Error);
    replies_.clear(); // nobody got the end of it
}

TEST(RegistryReferrers, AreListedByTheRegistryOrUnderATag) {
    ScriptedClient http;
    const Digest subject = sha256("image");
    const std::string list = fmt::format(
        R"({{"schemaVersion":2,"manifests":[{{"mediaType":"{0}","digest":"{1}","size":3,"artifactType":"a"}},{{"mediaType":"{0}","digest":"{2}","size":3,"artifactType":"b"}}]}})",
        media_type::kManifest,
        sha256("1").to_string(),
        sha256("2").to_string());
    RegistryClient client(http, {"reg.example", "x"}, std::nullopt, impatient(1));
    http.script = [&](const HttpRequest& request) -> Reply {
        EXPECT_THAT(request.url, HasSubstr("/referrers/sha256:"));
        return {200, list, {{"Content-Type", std::string(media_type::kIndex)}}};
    };
    EXPECT_EQ(find_referrers(client, subject).size(), 2U);
    ASSERT_EQ(find_referrers(client, subject, "b").size(), 1U);
    EXPECT_EQ(find_referrers(client, subject, "b").front().descriptor.digest, sha256("2"));
    // A page for people is no list, whatever its status.
    http.script = [&](const HttpRequest& request) -> Reply {
        if (request.url.find("/referrers/") != std::string::npos) {
            return {200, "<html>", {{"Content-Type", "text/html"}}};
        }
        EXPECT_THAT(request.url, HasSubstr("/manifests/" + referrers_tag(subject)));
        return {200, list};
    };
    EXPECT_EQ(find_referrers(client, subject).size(), 2U);
    http.script = [](const HttpRequest&) -> Reply { return {404}; };
    EXPECT_TRUE(find_referrers(client, subject).empty());
}

TEST(RegistryReferrers, AreAddedOnce) {
    ScriptedClient http;
    std::string list;
    http.script = [&](const HttpRequest& request) -> Reply {
        if (request.method == "GET") {
            return list.empty() ? Reply{404} : Reply{200, list};
        }
        list = http.seen.back().substr(http.seen.back().find(" <- ") + 4);
        return {201};
    };
    RegistryClient client(http, {"reg.example", "x"}, std::nullopt, impatient(1));
    const GraphManifest referrer = parse_graph_manifest(
        fmt::format(
            R"({{"schemaVersion":2,"mediaType":"{}","artifactType":"a","config":{{"mediaType":"{}","digest":"{}","size":2}},"layers":[],"annotations":{{"k":"v"}}}})",
            media_type::kManifest,
            media_type::kEmpty,
            sha256("{}").to_string()),
        media_type::kManifest,
        "manifest");
    add_referrer(client, sha256("image"), referrer);
    add_referrer(client, sha256("image"), referrer);
    const std::vector<IndexItem> items = parse_index(list, "list");
    ASSERT_EQ(items.size(), 1U);
    EXPECT_EQ(items.front().artifact_type, "a");
    EXPECT_THAT(items.front().descriptor.annotations, ElementsAre(testing::Pair("k", "v")));
}

} // namespace
} // namespace kiln
