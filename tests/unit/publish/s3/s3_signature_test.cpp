// SPDX-License-Identifier: MIT
// Against the values that AWS publishes: the examples of "Authenticating Requests" in the Amazon S3
// API Reference (header and query), and the "Signature Version 4 Test Suite".
#include "base/io/digest.hpp"
#include "publish/s3/s3_signature.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

constexpr std::string_view kEmptyDigest =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Of the S3 API Reference; the time is 2013-05-24 00:00:00.
const S3Credentials kS3Keys{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
const SignatureScope kS3Scope{"us-east-1", 1'369'353'600};

/// Of the test suite; the time is 2015-08-30 12:36:00.
const S3Credentials kSuiteKeys{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};
const SignatureScope kSuiteScope{"us-east-1", 1'440'938'160, "service"};

SignableRequest s3_request(std::string path, S3Query query = {}) {
    SignableRequest out{"GET", std::move(path), std::move(query), {}, std::string(kEmptyDigest)};
    out.headers = {
        {"Host", "examplebucket.s3.amazonaws.com"},
        {"x-amz-content-sha256", std::string(kEmptyDigest)},
        {"x-amz-date", "20130524T000000Z"}};
    return out;
}

SignableRequest suite_request(std::string method, std::string path, S3Query query = {}) {
    return {
        std::move(method),
        std::move(path),
        std::move(query),
        {{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}},
        std::string(kEmptyDigest)};
}

std::string signature(const std::string& authorization) {
    return authorization.substr(authorization.find("Signature=") + 10);
}

TEST(S3Signature, OfTheExampleThatGetsAnObject) {
    SignableRequest request = s3_request("/test.txt");
    request.headers.push_back({"Range", "bytes=0-9"});
    EXPECT_EQ(
        canonical_request(request),
        "GET\n/test.txt\n\nhost:examplebucket.s3.amazonaws.com\nrange:bytes=0-9\n"
        "x-amz-content-sha256:"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
        "x-amz-date:20130524T000000Z\n\nhost;range;x-amz-content-sha256;x-amz-date\n"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(
        string_to_sign(kS3Scope, canonical_request(request)),
        "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n"
        "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972");
    EXPECT_EQ(
        authorization_of(request, kS3Scope, kS3Keys),
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(S3Signature, OfTheExampleThatPutsAnObject) {
    SignableRequest request = s3_request("/test$file.text");
    request.method = "PUT";
    request.payload_digest = sha256("Welcome to Amazon S3.").hex();
    request.headers.at(1).value = request.payload_digest;
    request.headers.push_back({"Date", "Fri, 24 May 2013 00:00:00 GMT"});
    request.headers.push_back({"x-amz-storage-class", "REDUCED_REDUNDANCY"});
    EXPECT_EQ(
        signature(authorization_of(request, kS3Scope, kS3Keys)),
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(S3Signature, OfTheExamplesWithAQuery) {
    EXPECT_EQ(
        signature(authorization_of(s3_request("/", {{"lifecycle", ""}}), kS3Scope, kS3Keys)),
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    EXPECT_EQ(
        signature(authorization_of(
            s3_request("/", {{"prefix", "J"}, {"max-keys", "2"}}), kS3Scope, kS3Keys)),
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(S3Signature, OfTheExampleWithAPresignedUrl) {
    SignableRequest request{
        "GET",
        "/test.txt",
        {},
        {{"host", "examplebucket.s3.amazonaws.com"}},
        std::string(kUnsignedPayload)};
    const std::string query =
        s3_encoded_query(presigned_query(request, kS3Scope, kS3Keys, std::chrono::seconds(86'400)));
    EXPECT_EQ(
        query,
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"
        "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&"
        "X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404&"
        "X-Amz-SignedHeaders=host");
}

TEST(S3Signature, OfTheTestSuite) {
    const auto sign = [](const SignableRequest& request) {
        return signature(authorization_of(request, kSuiteScope, kSuiteKeys));
    };
    EXPECT_EQ( // get-vanilla
        sign(suite_request("GET", "/")),
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    EXPECT_EQ( // post-vanilla
        sign(suite_request("POST", "/")),
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
    EXPECT_EQ( // get-vanilla-query-order-key-case
        sign(suite_request("GET", "/", {{"Param2", "value2"}, {"Param1", "value1"}})),
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
    EXPECT_EQ( // get-unreserved
        sign(suite_request(
            "GET", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")),
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f");
    EXPECT_EQ( // get-utf8
        sign(suite_request("GET", "/\xe1\x88\xb4")),
        "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85");
}

TEST(S3Signature, TakesHeadersAsOneWhateverTheirBlanks) {
    SignableRequest request = suite_request("GET", "/");
    request.headers.push_back({"My-Header1", "  a   b "});
    request.headers.push_back({"my-header1", "c"});
    EXPECT_THAT(canonical_request(request), HasSubstr("\nmy-header1:a b,c\n"));
}

TEST(S3Signature, EncodesWhatIsNotUnreserved) {
    EXPECT_EQ(s3_encoded("a/b c+~\xc3\xa4"), "a%2Fb%20c%2B~%C3%A4");
    EXPECT_EQ(s3_encoded_path("/a/b c+:@"), "/a/b%20c%2B%3A%40");
    EXPECT_EQ(s3_encoded_query({{"b", "1/2"}, {"a", ""}}), "a=&b=1%2F2");
    EXPECT_EQ(s3_encoded_query({}), "");
    EXPECT_EQ(s3_time(1'369'353'600), "20130524T000000Z");
}

TEST(S3Signature, IsAnotherOneForAnythingThatChanges) {
    const std::string base = authorization_of(s3_request("/a"), kS3Scope, kS3Keys);
    EXPECT_NE(authorization_of(s3_request("/b"), kS3Scope, kS3Keys), base);
    EXPECT_NE(authorization_of(s3_request("/a"), {"nyc3", kS3Scope.time}, kS3Keys), base);
    EXPECT_NE(
        authorization_of(s3_request("/a"), {kS3Scope.region, kS3Scope.time + 1}, kS3Keys), base);
    EXPECT_NE(authorization_of(s3_request("/a"), kS3Scope, {kS3Keys.access_key, "x"}), base);
    EXPECT_THAT(base, Not(HasSubstr(kS3Keys.secret_key)));
}

} // namespace
} // namespace kiln
