// SPDX-License-Identifier: MIT
#include "publish/s3/s3_answer.hpp"

#include "base/text.hpp"
#include "publish/s3/s3_xml.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>

namespace kiln {

namespace {

struct Hint {
    std::string_view code;
    std::string_view hint;
};

constexpr std::array kHints{
    Hint{"SignatureDoesNotMatch", "check the access key and its secret"},
    Hint{"InvalidAccessKeyId", "the service does not know this access key"},
    Hint{
        "AccessDenied",
        "the key needs permission to read and write this bucket, and to set the ACL public-read"},
    Hint{"NoSuchBucket", "create the bucket in this region, or name another one"},
    Hint{"AuthorizationHeaderMalformed", "check the region"},
    Hint{"PermanentRedirect", "the bucket is in another region"},
    Hint{"QuotaExceeded", "remove objects, or raise the limit of the account"},
    Hint{"SlowDown", "the service limits the rate of requests; try again later, with fewer jobs"},
};

bool is_clock_error(std::string_view code) {
    return code == "RequestTimeTooSkewed" || code == "RequestExpired";
}

std::string clock_hint(const HttpResponse& response, std::int64_t time) {
    const std::string date(response.header("date").value_or(""));
    const std::int64_t theirs = date.empty() ? -1 : curl_getdate(date.c_str(), nullptr);
    if (theirs < 0) {
        return "set the clock of this machine";
    }
    return fmt::format(
        "set the clock of this machine: it is {} {} the service's",
        format_duration(static_cast<double>(std::abs(time - theirs))),
        time < theirs ? "behind" : "ahead of");
}

} // namespace

S3Error read_s3_error(std::string_view body) {
    const auto root = parse_xml(body);
    if (!root || root->name != "Error") {
        return {};
    }
    return {excerpt(root->text_of("Code")), excerpt(root->text_of("Message"))};
}

bool is_transient_s3_error(std::string_view code) {
    constexpr std::array<std::string_view, 6> kCodes{
        "InternalError",
        "OperationAborted",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "ThrottlingException"};
    return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

std::string hint_of(const S3Error& error, const HttpResponse& response, std::int64_t time) {
    if (is_clock_error(error.code)) {
        return clock_hint(response, time);
    }
    const auto found = std::find_if(
        kHints.begin(), kHints.end(), [&](const Hint& each) { return each.code == error.code; });
    return found == kHints.end() ? std::string() : std::string(found->hint);
}

std::string
describe_s3_answer(const HttpResponse& response, const S3Error& error, std::string_view body) {
    std::string out = fmt::format("status {}", response.status);
    if (!error.code.empty()) {
        out += fmt::format(", {}", error.code);
        return error.message.empty() ? out : fmt::format("{}: {}", out, error.message);
    }
    const std::string_view type = response.header("content-type").value_or("");
    if (type.starts_with("text/html")) {
        return out + " with an HTML page, not an answer of S3";
    }
    return trim(body).empty() ? out : out + " with an answer that is not S3's";
}

std::string plain_etag(std::string_view etag) {
    std::string out(trim(etag));
    if (out.size() > 1 && out.starts_with('"') && out.ends_with('"')) {
        out = out.substr(1, out.size() - 2);
    }
    std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) {
        return static_cast<char>(std::tolower(c));
    });
    return out;
}

} // namespace kiln
