// SPDX-License-Identifier: MIT
//
// What the answers of an S3 service say, for the client and for people. A part of
// publish/s3/s3_client.hpp.
#pragma once

#include "base/http/http.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace kiln {

/// What an <Error> says.
struct S3Error {
    std::string code;    ///< such as "NoSuchKey"; empty when the text is not such an error
    std::string message; ///< in the service's words, one line
};

[[nodiscard]] S3Error read_s3_error(std::string_view body);

/// Another try may help: what services answer besides the statuses of HTTP that say so.
[[nodiscard]] bool is_transient_s3_error(std::string_view code);

/// What the user can do about an error; "" when nothing is known. `time` is that of the request, in
/// seconds since 1970; `response` may have the service's.
[[nodiscard]] std::string
hint_of(const S3Error& error, const HttpResponse& response, std::int64_t time);

/// "status 403, SignatureDoesNotMatch: ...", or what else the body is.
[[nodiscard]] std::string
describe_s3_answer(const HttpResponse& response, const S3Error& error, std::string_view body);

/// "\"ABC\"" -> "abc".
[[nodiscard]] std::string plain_etag(std::string_view etag);

} // namespace kiln
