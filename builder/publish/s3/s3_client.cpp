// SPDX-License-Identifier: MIT
#include "publish/s3/s3_client.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "publish/s3/s3_answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <utility>

namespace kiln {

namespace {

constexpr HttpPurpose kPurpose = HttpPurpose::api;

/// The rules of S3 and Spaces; a dot would not fit a certificate for *.HOST.
bool is_bucket_name(std::string_view name) {
    constexpr std::size_t kShortest = 3;
    constexpr std::size_t kLongest = 63;
    return name.size() >= kShortest && name.size() <= kLongest && name.front() != '-' &&
           name.back() != '-' && std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
           });
}

/// HOST, or HOST:PORT where that is not the scheme's: what libcurl sends.
std::string host_header(const Url& url) {
    const std::string_view usual = url.scheme() == "https" ? ":443" : ":80";
    std::string out = url.authority();
    return out.ends_with(usual) ? out.substr(0, out.size() - usual.size()) : out;
}

Url checked_endpoint(const std::string& text) {
    auto url = Url::parse(text);
    // Nothing behind the host but a single slash.
    constexpr std::string_view kSlashes = "://";
    const std::size_t host = text.find(kSlashes);
    const std::size_t path =
        host == std::string::npos ? 0 : text.find_first_of("/?#", host + kSlashes.size());
    if (!url || url->has_user() ||
        (path != std::string::npos && std::string_view(text).substr(path) != "/")) {
        throw UsageError(fmt::format("'{}' is not a valid S3 endpoint", redact_url(text)))
            .with_hint("an endpoint is a URL without a path, such as "
                       "https://nyc3.digitaloceanspaces.com");
    }
    if (url->scheme() != "https" && !(url->scheme() == "http" && url->is_loopback())) {
        throw UsageError(fmt::format("the S3 endpoint '{}' is not an https: URL", redact_url(text)))
            .with_hint("http: is only allowed for loopback addresses");
    }
    return std::move(*url);
}

} // namespace

S3Client::S3Client(
    HttpClient& http, S3Bucket bucket, S3Credentials credentials, S3ClientOptions options)
    : http_(http), bucket_(std::move(bucket)), credentials_(std::move(credentials)),
      options_(std::move(options)) {
    if (!options_.now) {
        options_.now = [] { return std::int64_t{std::time(nullptr)}; };
    }
    if (!is_bucket_name(bucket_.name)) {
        throw UsageError(fmt::format("'{}' is not a valid bucket name", excerpt(bucket_.name)))
            .with_hint("3 to 63 lower-case letters, digits and '-'");
    }
    const Url endpoint = checked_endpoint(bucket_.endpoint);
    host_ = host_header(endpoint);
    if (bucket_.style == S3Style::virtual_host) {
        host_ = bucket_.name + "." + host_;
    }
    origin_ = endpoint.scheme() + "://" + host_;
}

std::string S3Client::path_of(const std::string& key) const {
    return bucket_.style == S3Style::path
               ? fmt::format("/{}{}{}", bucket_.name, key.empty() ? "" : "/", key)
               : "/" + key;
}

SignatureScope S3Client::scope() const {
    return {bucket_.region, options_.now()};
}

std::string S3Client::url_of(const std::string& key) const {
    return origin_ + s3_encoded_path(path_of(key));
}

std::string S3Client::presigned_url(
    const std::string& method, const std::string& key, std::chrono::seconds lifetime) const {
    const SignableRequest request{
        method, path_of(key), {}, {{"host", host_}}, std::string(kUnsignedPayload)};
    return url_of(key) + "?" +
           s3_encoded_query(presigned_query(request, scope(), credentials_, lifetime));
}

HttpRequest S3Client::signed_request(const Call& call) const {
    const SignatureScope now = scope();
    SignableRequest parts;
    parts.method = call.method;
    parts.path = path_of(call.key);
    parts.query = call.query;
    parts.payload_digest = call.content == nullptr ? sha256("").hex() : call.content->digest.hex();
    parts.headers = call.headers;
    parts.headers.push_back({"x-amz-content-sha256", parts.payload_digest});
    parts.headers.push_back({"x-amz-date", s3_time(now.time)});

    HttpRequest out;
    out.headers = parts.headers;
    parts.headers.push_back({"host", host_});
    out.headers.push_back({"Authorization", authorization_of(parts, now, credentials_)});
    out.method = call.method;
    const std::string query = s3_encoded_query(call.query);
    out.url = url_of(call.key) + (query.empty() ? "" : "?" + query);
    out.purpose = kPurpose;
    out.expected_size = kLargestAnswer;
    out.follow_redirects = false; // a signature is for one host
    return out;
}

S3Client::Answer S3Client::send_once(const Call& call) {
    HttpRequest request = signed_request(call);
    std::unique_ptr<Source> body;
    if (call.content != nullptr && call.content->size > 0) {
        body = call.content->open();
        request.body = body.get();
        request.body_size = call.content->size;
    }
    LimitedSink sink(
        kLargestAnswer,
        Error(
            fmt::format("the answer of '{}' is larger than {}", host_, format_size(kLargestAnswer)),
            ExitCode::remote_refused));
    Answer out;
    out.response = http_.send(request, sink);
    out.body = out.response.ok() ? sink.take() : out.response.error_body;
    return out;
}

S3Client::Answer S3Client::send(const Call& call) {
    Answer out;
    out.response = with_retries(options_.retry, [&] {
        out = send_once(call);
        HttpResponse response = out.response;
        if (!response.ok() && is_transient_s3_error(read_s3_error(out.body).code) &&
            !is_transient_status(response.status)) {
            response.status = 503; // such as 400 with RequestTimeout
        }
        return response;
    });
    return out;
}

S3Refusal S3Client::refused(const Answer& answer, const Call& call) const {
    const S3Error error = read_s3_error(answer.body);
    S3Refusal out(
        fmt::format(
            "cannot {} at '{}': {}",
            call.what,
            host_,
            describe_s3_answer(answer.response, error, answer.body)),
        answer.response.status,
        error.code);
    if (std::string hint = hint_of(error, answer.response, options_.now()); !hint.empty()) {
        out.set_hint_if_empty(std::move(hint));
    }
    return out;
}

void S3Client::require_ok(const Answer& answer, const Call& call) const {
    if (!answer.response.ok()) {
        throw refused(answer, call);
    }
}

XmlElement
S3Client::read_answer(const Answer& answer, const Call& call, std::string_view root) const {
    require_ok(answer, call);
    auto out = parse_xml(answer.body);
    if (!out || out->name != root) {
        throw refused(answer, call);
    }
    return std::move(*out);
}

void S3Client::require_etag(const Answer& answer, const Call& call) const {
    require_ok(answer, call);
    const std::string etag = plain_etag(answer.response.header("etag").value_or(""));
    if (etag != call.content->md5) {
        throw Error(
            fmt::format(
                "cannot {} at '{}': the service states the ETag '{}' for content with the MD5 '{}'",
                call.what,
                host_,
                excerpt(etag),
                call.content->md5),
            ExitCode::remote_refused);
    }
}

void S3Client::require_bucket() {
    const Call call{
        .method = "GET",
        .key = "",
        .query = {{"max-keys", "1"}},
        .what = fmt::format("use bucket '{}'", bucket_.name)};
    static_cast<void>(read_answer(send(call), call, "ListBucketResult"));
}

void S3Client::put(
    const std::string& key, const S3Content& content, const std::vector<HttpHeader>& headers) {
    const Call call{
        .method = "PUT",
        .key = key,
        .headers = headers,
        .content = &content,
        .what = fmt::format("upload '{}'", key)};
    require_etag(send(call), call);
}

std::optional<S3Object> S3Client::find(const std::string& key) {
    const Call call{.method = "HEAD", .key = key, .what = fmt::format("look for '{}'", key)};
    const Answer answer = send(call);
    if (answer.response.status == 404) {
        return std::nullopt;
    }
    require_ok(answer, call);
    const auto size = parse_unsigned(answer.response.header("content-length").value_or(""));
    if (!size) {
        throw refused(answer, call);
    }
    return S3Object{*size, plain_etag(answer.response.header("etag").value_or(""))};
}

std::string S3Client::read(const std::string& key, std::uint64_t offset, std::uint64_t size) {
    KILN_CHECK(size > 0 && size <= kLargestAnswer);
    const Call call{
        .method = "GET",
        .key = key,
        .headers = {{"range", fmt::format("bytes={}-{}", offset, offset + size - 1)}},
        .what = fmt::format("read '{}'", key)};
    Answer answer = send(call);
    require_ok(answer, call);
    if (answer.response.status != 206 || answer.response.body_offset != offset ||
        answer.body.size() != size) {
        throw Error(
            fmt::format(
                "cannot {} at '{}': the service returned the wrong byte range", call.what, host_),
            ExitCode::remote_refused);
    }
    return std::move(answer.body);
}

void S3Client::remove(const std::string& key) {
    const Call call{.method = "DELETE", .key = key, .what = fmt::format("remove '{}'", key)};
    const Answer answer = send(call);
    if (answer.response.status != 404) {
        require_ok(answer, call);
    }
}

} // namespace kiln
