// SPDX-License-Identifier: MIT
//
// AWS Signature Version 4, with which every request to an S3 service is signed: as headers, or in
// the query of a URL that anybody may use for a while. Pure functions of their arguments; knows
// nothing of HTTP clients.
// Source: "AWS Signature Version 4 for API requests" (AWS Identity and Access Management User
// Guide) and "Authenticating Requests" (Amazon S3 API Reference).
#pragma once

#include "base/http/http.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kiln {

/// Never printed, logged or put on a command line.
struct S3Credentials {
    std::string access_key; ///< names the key; every request shows it to the service
    std::string secret_key;
};

/// What stands in a signature in place of the body's digest: the body is not signed.
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

/// Name and value, neither percent-encoded.
using S3Query = std::vector<std::pair<std::string, std::string>>;

/// The parts of a request that a signature covers.
struct SignableRequest {
    std::string method;
    std::string path; ///< decoded, from the first '/' on
    S3Query query = {};
    /// All of them are signed; "host" must be among them.
    std::vector<HttpHeader> headers = {};
    std::string payload_digest; ///< SHA-256 in hexadecimal digits, or kUnsignedPayload
};

/// Where and when a signature is valid.
struct SignatureScope {
    std::string region;
    std::int64_t time = 0; ///< seconds since 1970
    std::string service = "s3";
};

/// Percent-encoded but for A-Z, a-z, 0-9 and "-._~" (and '/', in a path). S3 signs a path in the
/// form in which it is sent, so that requests have to be encoded by this function.
[[nodiscard]] std::string s3_encoded(std::string_view text);
[[nodiscard]] std::string s3_encoded_path(std::string_view path);
/// "a=1&b=%2F", in the order in which it is signed; "" for none.
[[nodiscard]] std::string s3_encoded_query(const S3Query& query);

/// "20130524T000000Z", the form of X-Amz-Date.
[[nodiscard]] std::string s3_time(std::int64_t time);

[[nodiscard]] std::string canonical_request(const SignableRequest& request);
[[nodiscard]] std::string
string_to_sign(const SignatureScope& scope, const std::string& canonical_request);

/// The value of the header Authorization.
[[nodiscard]] std::string authorization_of(
    const SignableRequest& request, const SignatureScope& scope, const S3Credentials& credentials);

/// The query that makes a URL of the request valid for so long without a header: the request's own
/// and X-Amz-*. Services limit the time to a week.
[[nodiscard]] S3Query presigned_query(
    SignableRequest request,
    const SignatureScope& scope,
    const S3Credentials& credentials,
    std::chrono::seconds lifetime);

} // namespace kiln
