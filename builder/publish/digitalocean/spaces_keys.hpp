// SPDX-License-Identifier: MIT
//
// Keys of Spaces that are made through DigitalOcean's API for one upload, when only an API token is
// given: for one bucket, and deleted afterwards.
#pragma once

#include "publish/digitalocean/api.hpp"
#include "publish/digitalocean/image_upload.hpp"
#include "publish/s3/s3_signature.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <memory>
#include <string>

namespace kiln {

/// A key that may read and write one bucket. The name must be used for nothing else: keys of that
/// name are deleted when an answer is lost.
[[nodiscard]] S3Credentials
create_spaces_key(DigitalOceanApi& api, const std::string& name, const std::string& bucket);
/// All keys of that name, which may be none.
void delete_spaces_keys(DigitalOceanApi& api, const std::string& name);

/// An upload with a key of its own. The key's name is in the state; its secret is nowhere, so that
/// a resumed upload gets a new key in place of the old one.
class UploadWithOwnKey final : public ImageUpload {
  public:
    /// Makes the upload that works with a key.
    using Make = std::function<std::unique_ptr<ImageUpload>(S3Credentials)>;

    /// `api` must outlive this.
    UploadWithOwnKey(DigitalOceanApi& api, std::string bucket, Make make);

    [[nodiscard]] std::string_view kind() const override { return "spaces"; }

    /// That the token may see keys. Looks at no bucket: without a key there is no way to.
    void check(const UploadFile& file) override;

    [[nodiscard]] std::string
    put(const UploadFile& file,
        const nlohmann::ordered_json& state,
        const Save& save,
        Job& progress) override;

    void remove(const nlohmann::ordered_json& state) override;

  private:
    [[nodiscard]] std::unique_ptr<ImageUpload>
    begin(const std::string& name, const UploadFile& file);
    void wait_until_known(ImageUpload& upload, const UploadFile& file);

    DigitalOceanApi& api_;
    std::string bucket_;
    Make make_;
};

} // namespace kiln
