// SPDX-License-Identifier: MIT
//
// An upload to a bucket of Spaces, DigitalOcean's S3 service, under a key that nobody can guess:
// the object has to be public for as long as DigitalOcean fetches it.
#pragma once

#include "publish/digitalocean/image_upload.hpp"
#include "publish/s3/s3_client.hpp"
#include "publish/s3/s3_upload.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace kiln {

struct SpacesOptions {
    std::string region; ///< such as "nyc3"
    std::string bucket;
    /// Of another S3 service, or of a test; empty: that of the region.
    std::string endpoint = {};
    unsigned jobs = 4; ///< parts at the same time; Spaces takes 10 of an object
    S3ClientOptions client = {};
};

/// Where a bucket is: https://BUCKET.REGION.digitaloceanspaces.com/, and for an endpoint on this
/// machine ENDPOINT/BUCKET/.
[[nodiscard]] S3Bucket spaces_bucket(const SpacesOptions& options);

class SpacesUpload final : public ImageUpload {
  public:
    /// `http` must outlive this. Throws UsageError for an invalid bucket or endpoint.
    SpacesUpload(HttpClient& http, const SpacesOptions& options, S3Credentials credentials);

    [[nodiscard]] std::string_view kind() const override { return "spaces"; }

    void check(const UploadFile& file) override;

    /// The URL of the object, KEY/NAME, with a key of 128 random bits. A state of another bucket
    /// ends as Error.
    [[nodiscard]] std::string
    put(const UploadFile& file,
        const nlohmann::ordered_json& state,
        const Save& save,
        Job& progress) override;

    /// Ignores an interruption that came before.
    void remove(const nlohmann::ordered_json& state) override;

    /// What the last put() sent.
    [[nodiscard]] const S3UploadReport& report() const noexcept { return report_; }

  private:
    [[nodiscard]] nlohmann::ordered_json saved(const S3UploadState& upload) const;
    [[nodiscard]] S3UploadState read(const nlohmann::ordered_json& state) const;

    S3Client client_;
    unsigned jobs_;
    S3UploadReport report_;
};

} // namespace kiln
