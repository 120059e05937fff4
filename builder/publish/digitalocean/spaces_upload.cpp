// SPDX-License-Identifier: MIT
#include "publish/digitalocean/spaces_upload.hpp"

#include "base/error.hpp"
#include "base/http/url.hpp"
#include "base/interrupt.hpp"
#include "base/json_object.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <utility>

namespace kiln {

namespace {

std::string random_key() {
    constexpr std::size_t kBytes = 16;
    std::array<unsigned char, kBytes> bytes{};
    KILN_CHECK(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
    return to_hex(std::as_bytes(std::span(bytes)));
}

/// A part of a host name.
bool is_region(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

bool is_here(const std::string& endpoint) {
    const auto url = Url::parse(endpoint);
    return url && url->is_loopback();
}

std::string_view content_type_of(std::string_view name) {
    return name.ends_with(".gz") ? "application/gzip" : "application/octet-stream";
}

} // namespace

S3Bucket spaces_bucket(const SpacesOptions& options) {
    if (!is_region(options.region)) {
        throw UsageError(fmt::format("'{}' is not a valid region", excerpt(options.region)))
            .with_hint("regions with Spaces have names such as nyc3");
    }
    S3Bucket out{options.endpoint, options.region, options.bucket, S3Style::virtual_host};
    if (out.endpoint.empty()) {
        out.endpoint = fmt::format("https://{}.digitaloceanspaces.com", options.region);
    } else if (is_here(out.endpoint)) {
        out.style = S3Style::path; // names below an address do not exist
    }
    return out;
}

SpacesUpload::SpacesUpload(
    HttpClient& http, const SpacesOptions& options, S3Credentials credentials)
    : client_(http, spaces_bucket(options), std::move(credentials), options.client),
      jobs_(options.jobs) {}

void SpacesUpload::check(const UploadFile& file) {
    if (file.name.empty() || file.name.find('/') != std::string::npos) {
        throw Error(fmt::format("'{}' cannot be the name of an object", excerpt(file.name)));
    }
    static_cast<void>(part_size_for(file.size));
    client_.require_bucket();
}

nlohmann::ordered_json SpacesUpload::saved(const S3UploadState& upload) const {
    const S3Bucket& bucket = client_.bucket();
    return {
        {"endpoint", bucket.endpoint},
        {"region", bucket.region},
        {"bucket", bucket.name},
        {"object", to_json_value(upload)}};
}

S3UploadState SpacesUpload::read(const nlohmann::ordered_json& state) const {
    const JsonObject object(state, "the saved upload");
    const S3Bucket& bucket = client_.bucket();
    const std::string endpoint = object.text("endpoint");
    const std::string name = object.text("bucket");
    if (endpoint != bucket.endpoint || name != bucket.name) {
        throw Error(fmt::format(
                        "the upload is in bucket '{}' at '{}', not in '{}' at '{}'",
                        excerpt(name),
                        redact_url(endpoint),
                        bucket.name,
                        redact_url(bucket.endpoint)))
            .with_hint("go on with the region and the bucket with which it was begun");
    }
    static_cast<void>(object.object("object"));
    return s3_upload_state_of(state.at("object"));
}

std::string SpacesUpload::put(
    const UploadFile& file, const nlohmann::ordered_json& state, const Save& save, Job& progress) {
    S3UploadState upload =
        state.is_null() ? new_s3_upload(random_key() + "/" + file.name, file.size, file.digest)
                        : read(state);
    if (upload.size != file.size || upload.digest != file.digest) {
        throw Error(fmt::format("the upload is of another file than '{}'", file.path.string()));
    }
    S3UploadOptions options;
    options.jobs = jobs_;
    options.content_type = content_type_of(file.name);
    options.public_read = true;
    options.save = [&](const S3UploadState& now) { save(saved(now)); };
    report_ = upload_to_s3(client_, file.path, upload, options, progress);
    return client_.url_of(upload.key);
}

void SpacesUpload::remove(const nlohmann::ordered_json& state) {
    if (state.is_null()) {
        return;
    }
    const InterruptPause pause;
    discard_s3_upload(client_, read(state));
}

} // namespace kiln
