// SPDX-License-Identifier: MIT
//
// An S3 service with one bucket, in memory: objects, uploads in parts, and broken connections. It
// looks at no signatures.
#pragma once

#include "base/http/http.hpp"
#include "base/io/digest.hpp"
#include "base/text.hpp"
#include "publish/s3/s3_client.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace kiln::test {

class MemoryS3 final : public HttpClient {
  public:
    struct PartialObject {
        std::string key;
        std::map<unsigned, std::string> parts;
    };

    std::map<std::string, std::string> objects;
    std::map<std::string, std::string> acls;
    std::map<std::string, PartialObject> uploads; ///< by id
    /// Called with the number of each request, from 0 on, before it has an effect.
    std::function<void(std::size_t)> on_request;
    std::size_t lose_answers = 0; ///< of the next POST requests

    /// After that many requests no connection is possible.
    void break_after(std::optional<std::size_t> requests) { left_ = requests; }

    void clear() {
        objects.clear();
        acls.clear();
        uploads.clear();
        count_ = 0;
    }

    HttpResponse send(const HttpRequest& request, Sink& sink) override {
        const std::lock_guard lock(mutex_);
        if (left_ && (*left_)-- == 0) {
            left_ = 0;
            throw TransferError("connection refused", true);
        }
        if (on_request) {
            on_request(count_++);
        }
        std::string body;
        if (request.body != nullptr) {
            MemorySink taken;
            copy(*request.body, taken);
            body = taken.text();
        }
        HttpResponse response = answer(request, body);
        if (request.method == "POST" && lose_answers > 0) {
            --lose_answers;
            throw TransferError("connection reset", true);
        }
        if (response.ok()) {
            sink.write_text(std::exchange(response.error_body, {}));
        }
        return response;
    }

  private:
    using Query = std::map<std::string, std::string>;

    static HttpResponse reply(int status, std::string body = {}) {
        HttpResponse out;
        out.status = status;
        out.error_body = std::move(body);
        return out;
    }

    static HttpResponse with_etag(const std::string& etag, std::size_t size) {
        HttpResponse out = reply(200);
        out.headers = {{"ETag", "\"" + etag + "\""}, {"Content-Length", std::to_string(size)}};
        return out;
    }

    static HttpResponse no_upload() {
        return reply(404, "<Error><Code>NoSuchUpload</Code></Error>");
    }

    static Query query_of(const std::string& url) {
        Query out;
        const std::size_t mark = url.find('?');
        if (mark != std::string::npos) {
            for (const std::string& each : split(url.substr(mark + 1), '&')) {
                out[each.substr(0, each.find('='))] = each.substr(each.find('=') + 1);
            }
        }
        return out;
    }

    HttpResponse answer(const HttpRequest& request, const std::string& body) {
        static constexpr std::string_view kBucket = "https://s.example/bucket";
        const Query query = query_of(request.url);
        std::string key = request.url.substr(0, request.url.find('?')).substr(kBucket.size());
        key.erase(0, 1);
        if (query.contains("uploadId")) {
            return of_upload(request.method, key, query, body);
        }
        if (query.contains("uploads")) {
            return request.method == "POST" ? begin(key) : list_uploads();
        }
        return of_object(request, key, body);
    }

    HttpResponse begin(const std::string& key) {
        const std::string id = fmt::format("upload-{}", ++ids_);
        uploads[id].key = key;
        return reply(
            200,
            fmt::format(
                "<InitiateMultipartUploadResult><UploadId>{}</UploadId>"
                "</InitiateMultipartUploadResult>",
                id));
    }

    HttpResponse list_uploads() {
        std::string out;
        for (const auto& [id, upload] : uploads) {
            out += fmt::format(
                "<Upload><Key>{}</Key><UploadId>{}</UploadId></Upload>", upload.key, id);
        }
        return reply(200, "<ListMultipartUploadsResult>" + out + "</ListMultipartUploadsResult>");
    }

    HttpResponse of_upload(
        const std::string& method,
        const std::string& key,
        const Query& query,
        const std::string& body) {
        const auto found = uploads.find(query.at("uploadId"));
        if (found == uploads.end()) {
            return no_upload();
        }
        std::map<unsigned, std::string>& parts = found->second.parts;
        if (method == "PUT") {
            parts[static_cast<unsigned>(std::stoul(query.at("partNumber")))] = body;
            return with_etag(md5_hex(body), 0);
        }
        if (method == "GET") {
            return list_parts(parts);
        }
        if (method == "POST") {
            std::string& whole = objects[key];
            std::vector<S3Part> list;
            whole.clear();
            for (const auto& [number, part] : parts) {
                whole += part;
                list.push_back({number, part.size(), md5_hex(part)});
            }
            etags_[key] = etag_of_parts(list);
        }
        uploads.erase(found);
        return reply(
            method == "POST" ? 200 : 204,
            method == "POST" ? "<CompleteMultipartUploadResult/>" : "");
    }

    static HttpResponse list_parts(const std::map<unsigned, std::string>& parts) {
        std::string out;
        for (const auto& [number, part] : parts) {
            out += fmt::format(
                "<Part><PartNumber>{}</PartNumber><ETag>\"{}\"</ETag><Size>{}</Size></Part>",
                number,
                md5_hex(part),
                part.size());
        }
        return reply(200, "<ListPartsResult>" + out + "</ListPartsResult>");
    }

    HttpResponse
    of_object(const HttpRequest& request, const std::string& key, const std::string& body) {
        if (request.method == "PUT") {
            objects[key] = body;
            etags_[key] = md5_hex(body);
            for (const HttpHeader& header : request.headers) {
                if (header.name == "x-amz-acl") {
                    acls[key] = header.value;
                }
            }
            return with_etag(md5_hex(body), 0);
        }
        const auto found = objects.find(key);
        if (found == objects.end()) {
            return reply(404);
        }
        if (request.method == "DELETE") {
            objects.erase(found);
            return reply(204);
        }
        return with_etag(etags_.at(key), found->second.size());
    }

    std::mutex mutex_;
    std::map<std::string, std::string> etags_;
    std::size_t count_ = 0;
    std::size_t ids_ = 0;
    std::optional<std::size_t> left_;
};

} // namespace kiln::test
