// SPDX-License-Identifier: MIT
// What is sent, what is repeated when, and what becomes of answers that S3 does not have.
#include "publish/s3/s3_client.hpp"
#include "support/expect_error.hpp"
#include "support/fake_http_client.hpp"
#include "support/scripted_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

namespace kiln {
namespace {

using test::impatient;
using test::Reply;
using test::ScriptedClient;
using test::thrown;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kText = "0123456789";
constexpr std::int64_t kNow = 1'369'353'600; // 2013-05-24 00:00:00
const std::string kAt = "https://s.example/bucket";

std::string in_quotes(std::string_view text) {
    return "\"" + std::string(text) + "\"";
}

Reply error(int status, const std::string& code, const std::string& message = "no") {
    return {
        status,
        "<?xml version='1.0'?><Error><Code>" + code + "</Code><Message>" + message +
            "</Message></Error>"};
}

Reply page(int status) {
    return {status, "<html><body><h1>504</h1></body></html>", {{"Content-Type", "text/html"}}};
}

Reply etag(std::string_view text) {
    return {200, "", {{"ETag", in_quotes(md5_hex(text))}}};
}

S3Content content(std::string_view text) {
    return {
        [text] { return std::make_unique<MemorySource>(as_byte_span(text)); },
        text.size(),
        sha256(text),
        md5_hex(text)};
}

/// A service with these answers in their order; status 0: the connection breaks.
class S3ClientTest : public testing::Test {
  protected:
    S3ClientTest() {
        http_.purpose = HttpPurpose::api;
        http_.script = [this](const HttpRequest& request) -> Reply {
            last_headers_ = request.headers;
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

    ~S3ClientTest() override { EXPECT_TRUE(replies_.empty()) << replies_.size() << " left"; }

    S3Client client(S3Style style = S3Style::path) {
        return {
            http_,
            {"https://s.example", "nyc3", "bucket", style},
            {"id", "s3cr3t"},
            {impatient(3), [] { return kNow; }}};
    }

    [[nodiscard]] std::string header(const std::string& name) const {
        for (const HttpHeader& each : last_headers_) {
            if (each.name == name) {
                return each.value;
            }
        }
        return {};
    }

    ScriptedClient http_;
    std::deque<Reply> replies_;
    std::vector<HttpHeader> last_headers_;
};

TEST_F(S3ClientTest, PutsAnObjectWithASignature) {
    replies_ = {etag(kText)};
    client().put("a b/x.gz", content(kText), {{"x-amz-acl", "public-read"}});
    EXPECT_THAT(http_.seen, ElementsAre("PUT " + kAt + "/a%20b/x.gz <- 0123456789"));
    EXPECT_EQ(header("x-amz-content-sha256"), sha256(kText).hex());
    EXPECT_EQ(header("x-amz-date"), "20130524T000000Z");
    EXPECT_EQ(header("x-amz-acl"), "public-read");
    EXPECT_THAT(
        header("Authorization"),
        HasSubstr("Credential=id/20130524/nyc3/s3/aws4_request, "
                  "SignedHeaders=host;x-amz-acl;x-amz-content-sha256;x-amz-date, "));
    EXPECT_THAT(header("Authorization"), Not(HasSubstr("s3cr3t")));
}

TEST_F(S3ClientTest, PutsTheBucketIntoTheHost) {
    replies_ = {etag(kText)};
    S3Client s3 = client(S3Style::virtual_host);
    s3.put("x", content(kText), {});
    EXPECT_THAT(http_.seen, ElementsAre("PUT https://bucket.s.example/x <- 0123456789"));
    EXPECT_EQ(s3.url_of("k/x.gz"), "https://bucket.s.example/k/x.gz");
    EXPECT_EQ(client().url_of("k/x.gz"), kAt + "/k/x.gz");
    EXPECT_THAT(
        client().presigned_url("GET", "x", std::chrono::seconds(60)),
        HasSubstr(kAt + "/x?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=id%2F20130524"));
}

TEST_F(S3ClientTest, RepeatsWhatFailsForAWhile) {
    replies_ = {error(503, "SlowDown"), {0}, etag(kText)};
    client().put("x", content(kText), {});
    EXPECT_EQ(http_.seen.size(), 3U);
    EXPECT_EQ(http_.seen.front(), http_.seen.back()); // with its whole body
    replies_ = {page(504), error(400, "RequestTimeout"), etag(kText)};
    client().put("x", content(kText), {});
}

TEST_F(S3ClientTest, HoldsTheETagToWhatWasSent) {
    replies_ = {etag("another")};
    EXPECT_EQ(
        thrown([&] { client().put("x", content(kText), {}); }),
        "5: cannot upload 'x' at 's.example': the service states the ETag '" + md5_hex("another") +
            "' for content with the MD5 '" + md5_hex(kText) + "'");
    replies_ = {{200, "<html></html>"}}; // a proxy's page
    EXPECT_THAT(
        thrown([&] { client().put("x", content(kText), {}); }), HasSubstr("states the ETag ''"));
}

TEST_F(S3ClientTest, SaysInItsWordsWhatTheServiceRefused) {
    struct Case {
        Reply reply;
        std::string message;
        std::string hint;
    };

    Reply skewed = error(403, "RequestTimeTooSkewed", "The difference is too large");
    skewed.headers = {{"Date", "Fri, 24 May 2013 01:00:00 GMT"}};
    const std::vector<Case> cases{
        {error(403, "SignatureDoesNotMatch", "They differ.\x01"),
         "status 403 with an answer that is not S3's",
         ""},
        {error(403, "SignatureDoesNotMatch", "They differ."),
         "status 403, SignatureDoesNotMatch: They differ.",
         "check the access key and its secret"},
        {error(404, "NoSuchBucket", ""),
         "status 404, NoSuchBucket",
         "create the bucket in this region, or name another one"},
        {skewed,
         "status 403, RequestTimeTooSkewed: The difference is too large",
         "set the clock of this machine: it is 1h00m behind the service's"},
        {page(403), "status 403 with an HTML page, not an answer of S3", ""},
        {{403, "denied"}, "status 403 with an answer that is not S3's", ""},
        {{301, ""}, "status 301", ""},
    };
    for (const Case& each : cases) {
        replies_ = {each.reply};
        try {
            client().put("x", content(kText), {});
            ADD_FAILURE() << each.message;
        } catch (const S3Refusal& refusal) {
            EXPECT_EQ(refusal.message(), "cannot upload 'x' at 's.example': " + each.message);
            EXPECT_EQ(refusal.hint(), each.hint);
            EXPECT_EQ(refusal.exit_code(), ExitCode::remote_refused);
        }
    }
}

TEST_F(S3ClientTest, LooksForAnUploadWhenTheAnswerThatBeganItIsLost) {
    const std::string list = "<ListMultipartUploadsResult><Upload><Key>other</Key><UploadId>1"
                             "</UploadId></Upload><Upload><Key>x</Key><UploadId>2</UploadId>"
                             "</Upload></ListMultipartUploadsResult>";
    replies_ = {{0}, {200, list}};
    EXPECT_EQ(client().create_upload("x", {}), "2");
    EXPECT_THAT(
        http_.seen,
        ElementsAre("POST " + kAt + "/x?uploads=", "GET " + kAt + "?prefix=x&uploads="));

    replies_ = {
        {0},
        {200, "<ListMultipartUploadsResult/>"},
        {200,
         "<InitiateMultipartUploadResult><UploadId>3</UploadId></InitiateMultipartUploadResult>"}};
    EXPECT_EQ(client().create_upload("x", {}), "3");
    replies_ = {{200, "<InitiateMultipartUploadResult/>"}};
    EXPECT_EQ(
        thrown([&] { static_cast<void>(client().create_upload("x", {})); }),
        "5: cannot begin the upload of 'x' at 's.example': status 200 with an answer that is not "
        "S3's");
}

TEST_F(S3ClientTest, ListsPartsOverPages) {
    const auto part = [](int number) {
        return "<Part><PartNumber>" + std::to_string(number) +
               "</PartNumber><ETag>\"AB\"</ETag><Size>5</Size></Part>";
    };
    replies_ = {
        {200,
         "<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>2"
         "</NextPartNumberMarker>" +
             part(1) + part(2) + "</ListPartsResult>"},
        {200,
         "<ListPartsResult><IsTruncated>false</IsTruncated>" + part(7) + "</ListPartsResult>"}};
    const auto parts = client().list_parts("x", "id/1");
    ASSERT_TRUE(parts);
    ASSERT_EQ(parts->size(), 3U);
    EXPECT_EQ(parts->back().number, 7U);
    EXPECT_EQ(parts->back().size, 5U);
    EXPECT_EQ(parts->back().etag, "ab");
    EXPECT_THAT(
        http_.seen,
        ElementsAre(
            "GET " + kAt + "/x?part-number-marker=0&uploadId=id%2F1",
            "GET " + kAt + "/x?part-number-marker=2&uploadId=id%2F1"));

    replies_ = {error(404, "NoSuchUpload")};
    EXPECT_FALSE(client().list_parts("x", "1"));
    replies_ = {error(404, "NoSuchBucket")};
    EXPECT_THAT(
        thrown([&] { static_cast<void>(client().list_parts("x", "1")); }),
        HasSubstr("5: cannot list the parts of 'x'"));
    for (const std::string& wrong : {part(0), part(10'001), part(2) + part(2), part(-1)}) {
        replies_ = {{200, "<ListPartsResult>" + wrong + "</ListPartsResult>"}};
        EXPECT_THAT(
            thrown([&] { static_cast<void>(client().list_parts("x", "1")); }),
            HasSubstr("an answer that is not S3's"));
    }
}

TEST_F(S3ClientTest, EndsAListThatSaysThereIsMoreForEver) {
    const std::string body = "<ListPartsResult><IsTruncated>true</IsTruncated>"
                             "<NextPartNumberMarker>1</NextPartNumberMarker><Part><PartNumber>1"
                             "</PartNumber><ETag>a</ETag><Size>1</Size></Part></ListPartsResult>";
    replies_ = {{200, body}, {200, body}};
    EXPECT_THAT(
        thrown([&] { static_cast<void>(client().list_parts("x", "1")); }),
        HasSubstr("an answer that is not S3's"));
}

class Completion : public S3ClientTest {
  protected:
    void complete() { client().complete_upload("x", "1", parts_); }

    [[nodiscard]] Reply there() const {
        return {200, "", {{"ETag", in_quotes(etag_of_parts(parts_))}, {"Content-Length", "10"}}};
    }

    std::vector<S3Part> parts_{{1, 5, md5_hex("01234")}, {2, 5, md5_hex("56789")}};
    const Reply done_{200, "  <CompleteMultipartUploadResult/>"};
    const std::string head_ = "HEAD " + kAt + "/x";
};

TEST_F(Completion, NamesAllParts) {
    replies_ = {done_, there()};
    complete();
    EXPECT_EQ(
        http_.seen.front(),
        "POST " + kAt +
            "/x?uploadId=1 <- <CompleteMultipartUpload "
            "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Part><PartNumber>1</PartNumber>"
            "<ETag>&quot;" +
            md5_hex("01234") + "&quot;</ETag></Part><Part><PartNumber>2</PartNumber><ETag>&quot;" +
            md5_hex("56789") + "&quot;</ETag></Part></CompleteMultipartUpload>");
    // MD5 of both MD5s in binary, as md5sum makes it.
    EXPECT_EQ(etag_of_parts(parts_), "9a6dbec798b1bfe66cc7659d2bb41720-2");
}

TEST_F(Completion, IsRepeatedAfterAnErrorWithStatus200) {
    replies_ = {{200, "  <Error><Code>InternalError</Code></Error>"}, {404}, done_, there()};
    complete();
    EXPECT_EQ(http_.seen.at(1), head_);
    EXPECT_EQ(http_.seen.at(2), http_.seen.at(0));
}

TEST_F(Completion, IsNotRepeatedAfterALostAnswerWhenTheObjectIsThere) {
    replies_ = {{0}, there(), there()};
    complete();
    // The object appeared a moment later.
    replies_ = {{0}, {404}, error(404, "NoSuchUpload"), there(), there()};
    complete();
    replies_ = {page(200), there(), there()};
    complete();
}

TEST_F(Completion, IsRefused) {
    replies_ = {{200, "<Error><Code>InvalidPart</Code><Message>one is missing</Message></Error>"}};
    EXPECT_EQ(
        thrown([&] { complete(); }),
        "5: cannot complete the upload of 'x' at 's.example': status 200, InvalidPart: one is "
        "missing");
    replies_ = {error(404, "NoSuchUpload"), {404}};
    EXPECT_THAT(thrown([&] { complete(); }), HasSubstr("status 404, NoSuchUpload"));
    replies_ = {page(200), {404}, page(200), {404}, page(200)};
    EXPECT_EQ(
        thrown([&] { complete(); }),
        "5: cannot complete the upload of 'x' at 's.example': status 200 with an HTML page, not an "
        "answer of S3");
}

TEST_F(Completion, IsHeldToTheObject) {
    replies_ = {done_, {200, "", {{"ETag", "\"abc-2\""}, {"Content-Length", "10"}}}};
    EXPECT_THAT(thrown([&] { complete(); }), HasSubstr("5: cannot complete the upload of 'x'"));
}

TEST_F(S3ClientTest, RemovesWhatIsGone) {
    replies_ = {{404}, error(404, "NoSuchUpload"), {204}, {403}};
    client().remove("x");
    client().abort_upload("x", "1");
    client().remove("x");
    EXPECT_EQ(
        thrown([&] { client().remove("x"); }), "5: cannot remove 'x' at 's.example': status 403");
}

TEST_F(S3ClientTest, LooksAtTheBucket) {
    replies_ = {{200, "<ListBucketResult/>"}, page(200)};
    client().require_bucket();
    EXPECT_EQ(
        thrown([&] { client().require_bucket(); }),
        "5: cannot use bucket 'bucket' at 's.example': status 200 with an HTML page, not an answer "
        "of S3");
}

TEST_F(S3ClientTest, TakesNoRangeThatItDidNotAskFor) {
    replies_ = {{200, "0123456789"}};
    EXPECT_EQ(
        thrown([&] { static_cast<void>(client().read("x", 0, 5)); }),
        "5: cannot read 'x' at 's.example': the service returned the wrong byte range");
    EXPECT_EQ(header("range"), "bytes=0-4");
}

TEST_F(S3ClientTest, GoesToNoOtherPlaces) {
    const auto made = [&](const std::string& endpoint, const std::string& bucket) {
        return thrown([&] { const S3Client s3(http_, {endpoint, "nyc3", bucket}, {"id", "s"}); });
    };
    EXPECT_EQ(made("https://s.example", "bucket"), "no error");
    EXPECT_EQ(made("https://s.example:8443/", "bucket"), "no error");
    EXPECT_EQ(made("http://127.0.0.1:8085", "bucket"), "no error");
    EXPECT_EQ(
        made("http://s.example", "bucket"),
        "2: the S3 endpoint 'http://s.example' is not an https: URL");
    for (const char* wrong :
         {"https://s.example/path",
          "https://s.example?a=b",
          "https://user:pw@s.example",
          "s.example",
          "file:///etc"}) {
        EXPECT_THAT(made(wrong, "bucket"), HasSubstr("2: ")) << wrong;
    }
    for (const char* wrong : {"", "ab", "-ab", "ab-", "a.b", "Bucket", "a/b", "a?b"}) {
        EXPECT_EQ(
            made("https://s.example", wrong),
            "2: '" + std::string(wrong) + "' is not a valid bucket name");
    }
}

} // namespace
} // namespace kiln
