// SPDX-License-Identifier: MIT
//
// A client of one bucket of an S3 service (Amazon S3 API Reference; DigitalOcean Spaces, Ceph,
// OpenStack Swift and others speak it too). Every answer is held to what was sent: ETags are MD5
// digests. Knows nothing of files and of what is uploaded.
#pragma once

#include "base/http/http.hpp"
#include "base/http/url.hpp"
#include "base/io/digest.hpp"
#include "publish/s3/s3_signature.hpp"
#include "publish/s3/s3_xml.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// Where a bucket's name stands: https://HOST/BUCKET/KEY or https://BUCKET.HOST/KEY.
enum class S3Style { path, virtual_host };

struct S3Bucket {
    std::string endpoint; ///< "https://nyc3.digitaloceanspaces.com", without a path
    std::string region;
    std::string name;
    S3Style style = S3Style::path;
};

/// The service answered, and the answer is no (exit code 5).
class S3Refusal : public ErrorOfKind<S3Refusal> {
  public:
    S3Refusal(std::string message, int status, std::string code)
        : ErrorOfKind(std::move(message), ExitCode::remote_refused), status_(status),
          code_(std::move(code)) {}

    [[nodiscard]] int status() const noexcept { return status_; }

    /// The service's word for it, such as "NoSuchBucket"; empty when the answer had none.
    [[nodiscard]] const std::string& code() const noexcept { return code_; }

  private:
    int status_;
    std::string code_;
};

/// What is sent as an object or a part of one.
struct S3Content {
    std::function<std::unique_ptr<Source>()> open; ///< called for each attempt
    std::uint64_t size = 0;
    Digest digest;
    std::string md5; ///< hexadecimal digits
};

struct S3Object {
    std::uint64_t size = 0;
    std::string etag; ///< without quotes
};

struct S3Part {
    unsigned number = 0; ///< from 1 on
    std::uint64_t size = 0;
    std::string etag; ///< without quotes: the MD5 of the part
};

/// The ETag of an object made of these parts: the MD5 of their MD5s, and how many there are.
[[nodiscard]] std::string etag_of_parts(const std::vector<S3Part>& parts);

struct S3ClientOptions {
    RetryPolicy retry = {};
    /// Seconds since 1970; empty: the clock of this machine.
    std::function<std::int64_t()> now = {};
};

/// Methods throw S3Refusal when the service refuses, Error (exit code 5) for answers that S3 does
/// not have, and TransferError when it cannot be reached. What can be repeated safely is, with
/// backoff. Safe to use from several threads.
class S3Client {
  public:
    /// `http` must outlive this. Credentials go to the bucket's own host only. Throws UsageError
    /// unless the endpoint is an https: URL, or http: on this machine, and the bucket has a valid
    /// name.
    S3Client(
        HttpClient& http, S3Bucket bucket, S3Credentials credentials, S3ClientOptions options = {});

    [[nodiscard]] const S3Bucket& bucket() const noexcept { return bucket_; }

    /// Where anybody finds an object that is public.
    [[nodiscard]] std::string url_of(const std::string& key) const;
    /// Where anybody who has the URL can use that method on an object, for so long.
    [[nodiscard]] std::string presigned_url(
        const std::string& method, const std::string& key, std::chrono::seconds lifetime) const;

    /// Throws unless the bucket is there and the credentials may list it.
    void require_bucket();

    /// An object in one request. `headers` such as x-amz-acl are signed.
    void
    put(const std::string& key, const S3Content& content, const std::vector<HttpHeader>& headers);

    /// Begins an upload in parts and returns its id. When an answer was lost, an upload of that key
    /// that is there is taken for it: keys must not be shared with other writers.
    [[nodiscard]] std::string
    create_upload(const std::string& key, const std::vector<HttpHeader>& headers);
    /// Ids of uploads of the key that are neither complete nor aborted.
    [[nodiscard]] std::vector<std::string> uploads_of(const std::string& key);
    S3Part upload_part(
        const std::string& key,
        const std::string& upload,
        unsigned number,
        const S3Content& content);
    /// What the service has of an upload; nothing when there is no such upload.
    [[nodiscard]] std::optional<std::vector<S3Part>>
    list_parts(const std::string& key, const std::string& upload);
    /// Makes the object of its parts, which are in the order of their numbers.
    void complete_upload(
        const std::string& key, const std::string& upload, const std::vector<S3Part>& parts);
    /// An upload that is gone is fine.
    void abort_upload(const std::string& key, const std::string& upload);

    /// Nothing when there is no such object.
    [[nodiscard]] std::optional<S3Object> find(const std::string& key);
    /// `size` bytes of an object from `offset` on, at most kLargestAnswer.
    [[nodiscard]] std::string
    read(const std::string& key, std::uint64_t offset, std::uint64_t size);
    /// An object that is gone is fine.
    void remove(const std::string& key);

    /// Of an answer that is kept in memory. A page with 1000 parts has about 300 KB.
    static constexpr std::uint64_t kLargestAnswer = std::uint64_t{8} << 20U;

  private:
    /// A request before it is signed.
    struct Call {
        std::string method;
        std::string key; ///< empty: of the bucket itself
        S3Query query = {};
        std::vector<HttpHeader> headers = {};
        const S3Content* content = nullptr;
        std::string what; ///< completes "cannot ..." in messages
    };

    struct Answer {
        HttpResponse response;
        std::string body;
    };

    [[nodiscard]] std::string path_of(const std::string& key) const;
    [[nodiscard]] SignatureScope scope() const;
    [[nodiscard]] HttpRequest signed_request(const Call& call) const;
    Answer send_once(const Call& call);
    Answer send(const Call& call);
    /// An answer that must be XML with that root. Throws Error for any other.
    [[nodiscard]] XmlElement
    read_answer(const Answer& answer, const Call& call, std::string_view root) const;
    [[nodiscard]] S3Refusal refused(const Answer& answer, const Call& call) const;
    void require_ok(const Answer& answer, const Call& call) const;
    /// Throws Error unless the answer's ETag is that of what was sent.
    void require_etag(const Answer& answer, const Call& call) const;
    void complete_once(const Call& call);

    HttpClient& http_;
    S3Bucket bucket_;
    S3Credentials credentials_;
    S3ClientOptions options_;
    std::string origin_; ///< "https://HOST", with the bucket for that style
    std::string host_;   ///< as it stands in the header Host
};

} // namespace kiln
