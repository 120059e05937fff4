// SPDX-License-Identifier: MIT
//
// Uploads in parts, as far as S3Client knows them. Beginning and completing one cannot be repeated
// blindly: when an answer is lost, the service is asked what became of the request.
#include "base/error.hpp"
#include "base/text.hpp"
#include "publish/s3/s3_answer.hpp"
#include "publish/s3/s3_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kiln {

namespace {

constexpr unsigned kMostParts = 10'000;

std::string bytes_of_hex(std::string_view hex) {
    std::string out;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        constexpr int kHex = 16;
        const auto value = parse_unsigned(hex.substr(i, 2), kHex);
        KILN_CHECK(value);
        out += static_cast<char>(*value);
    }
    return out;
}

std::string completion_of(const std::vector<S3Part>& parts) {
    std::string out = "<CompleteMultipartUpload "
                      "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
    for (const S3Part& part : parts) {
        out += fmt::format(
            "<Part><PartNumber>{}</PartNumber><ETag>&quot;{}&quot;</ETag></Part>",
            part.number,
            part.etag);
    }
    return out + "</CompleteMultipartUpload>";
}

/// An answer of kiln's own, for a request that need not be sent.
HttpResponse done_already() {
    HttpResponse out;
    out.status = 200;
    return out;
}

} // namespace

std::string etag_of_parts(const std::vector<S3Part>& parts) {
    std::string digests;
    for (const S3Part& part : parts) {
        digests += bytes_of_hex(part.etag);
    }
    return fmt::format("{}-{}", md5_hex(digests), parts.size());
}

std::string
S3Client::create_upload(const std::string& key, const std::vector<HttpHeader>& headers) {
    const Call call{
        .method = "POST",
        .key = key,
        .query = {{"uploads", ""}},
        .headers = headers,
        .what = fmt::format("begin the upload of '{}'", key)};
    std::string id;
    Answer answer;
    bool is_first = true;
    with_retries(options_.retry, [&] {
        if (!std::exchange(is_first, false)) {
            if (const auto there = uploads_of(key); !there.empty()) {
                id = there.front();
                return done_already();
            }
        }
        answer = send_once(call);
        return answer.response;
    });
    if (id.empty()) {
        id = read_answer(answer, call, "InitiateMultipartUploadResult").text_of("UploadId");
    }
    if (id.empty()) {
        throw refused(answer, call);
    }
    return id;
}

std::vector<std::string> S3Client::uploads_of(const std::string& key) {
    const Call call{
        .method = "GET",
        .key = "",
        .query = {{"uploads", ""}, {"prefix", key}},
        .what = fmt::format("list the uploads of '{}'", key)};
    const XmlElement list = read_answer(send(call), call, "ListMultipartUploadsResult");
    std::vector<std::string> out;
    for (const XmlElement& each : list.children) {
        if (each.name == "Upload" && each.text_of("Key") == key) {
            out.push_back(each.text_of("UploadId"));
        }
    }
    return out;
}

S3Part S3Client::upload_part(
    const std::string& key, const std::string& upload, unsigned number, const S3Content& content) {
    const Call call{
        .method = "PUT",
        .key = key,
        .query = {{"partNumber", std::to_string(number)}, {"uploadId", upload}},
        .content = &content,
        .what = fmt::format("upload part {} of '{}'", number, key)};
    require_etag(send(call), call);
    return {number, content.size, content.md5};
}

std::optional<std::vector<S3Part>>
S3Client::list_parts(const std::string& key, const std::string& upload) {
    std::vector<S3Part> out;
    for (std::string marker = "0";;) {
        const Call call{
            .method = "GET",
            .key = key,
            .query = {{"uploadId", upload}, {"part-number-marker", marker}},
            .what = fmt::format("list the parts of '{}'", key)};
        const Answer answer = send(call);
        if (answer.response.status == 404 && read_s3_error(answer.body).code == "NoSuchUpload") {
            return std::nullopt;
        }
        const XmlElement list = read_answer(answer, call, "ListPartsResult");
        for (const XmlElement& each : list.children) {
            if (each.name != "Part") {
                continue;
            }
            const auto number = parse_unsigned(each.text_of("PartNumber"));
            const auto size = parse_unsigned(each.text_of("Size"));
            if (!number || *number == 0 || *number > kMostParts || !size ||
                (!out.empty() && out.back().number >= *number)) {
                throw refused(answer, call);
            }
            out.push_back(
                {static_cast<unsigned>(*number), *size, plain_etag(each.text_of("ETag"))});
        }
        const std::string next = list.text_of("NextPartNumberMarker");
        // Parts only go up, so that a service that says "more" for ever does not get far.
        if (list.text_of("IsTruncated") != "true" || out.empty() ||
            next != std::to_string(out.back().number) || next == marker) {
            return out;
        }
        marker = next;
    }
}

/// Sends the request; throws a transient TransferError when it may have failed for a reason that
/// passes, S3Refusal when it is refused.
void S3Client::complete_once(const Call& call) {
    const Answer answer = send_once(call);
    const S3Error error = read_s3_error(answer.body);
    const bool is_result = answer.response.ok() && error.code.empty();
    if (is_result) {
        const auto root = parse_xml(answer.body);
        if (root && root->name == "CompleteMultipartUploadResult") {
            return;
        }
    }
    // Services begin to answer before they know: status 200 may come with an error, or be cut off.
    const S3Refusal refusal = refused(answer, call);
    if (is_result || is_transient_status(answer.response.status) ||
        is_transient_s3_error(error.code)) {
        throw TransferError(refusal.message(), true, ExitCode::remote_refused);
    }
    throw S3Refusal(refusal);
}

void S3Client::complete_upload(
    const std::string& key, const std::string& upload, const std::vector<S3Part>& parts) {
    const std::string etag = etag_of_parts(parts);
    const std::string body = completion_of(parts);
    const S3Content content{
        [&] { return std::make_unique<MemorySource>(as_byte_span(body)); },
        body.size(),
        sha256(body),
        md5_hex(body)};
    const Call call{
        .method = "POST",
        .key = key,
        .query = {{"uploadId", upload}},
        .content = &content,
        .what = fmt::format("complete the upload of '{}'", key)};
    const auto is_there = [&] {
        const auto object = find(key);
        return object && object->etag == etag;
    };
    bool is_first = true;
    with_retries(options_.retry, [&] {
        if (!std::exchange(is_first, false) && is_there()) {
            return done_already();
        }
        try {
            complete_once(call);
        } catch (const S3Refusal& refusal) {
            if (refusal.code() != "NoSuchUpload" || !is_there()) {
                throw;
            }
        }
        return done_already();
    });
    const auto object = find(key);
    if (!object || object->etag != etag) {
        throw Error(
            fmt::format(
                "cannot {} at '{}': the object has the ETag '{}' instead of '{}'",
                call.what,
                host_,
                object ? excerpt(object->etag) : "",
                etag),
            ExitCode::remote_refused);
    }
}

void S3Client::abort_upload(const std::string& key, const std::string& upload) {
    const Call call{
        .method = "DELETE",
        .key = key,
        .query = {{"uploadId", upload}},
        .what = fmt::format("abort the upload of '{}'", key)};
    const Answer answer = send(call);
    if (answer.response.status != 404) {
        require_ok(answer, call);
    }
}

} // namespace kiln
