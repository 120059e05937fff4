// SPDX-License-Identifier: MIT
//
// How a dry run of a publish to DigitalOcean tells requests apart, see publish/dry_run.hpp, and the
// upload that it makes none of.
#pragma once

#include "publish/digitalocean/image_upload.hpp"
#include "publish/dry_run.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace kiln {

/// False for what would change the account, and for questions about the image that was not made.
[[nodiscard]] bool is_sent_in_dry_run(std::string_view method, std::string_view url);

/// For DryRunHttpClient: the image is available at once, transfers are done at once.
[[nodiscard]] std::optional<PretendedAnswer> pretend_digitalocean(const HttpRequest& request);

/// Checks what the real one checks and uploads nothing.
class DryRunUpload final : public ImageUpload {
  public:
    /// `real` must outlive this.
    explicit DryRunUpload(ImageUpload& real) : real_(real) {}

    [[nodiscard]] std::string_view kind() const override { return real_.kind(); }

    void check(const UploadFile& file) override { real_.check(file); }

    [[nodiscard]] std::string
    put(const UploadFile& file, const nlohmann::ordered_json&, const Save&, Job&) override {
        return "https://UPLOAD/" + file.name;
    }

    void remove(const nlohmann::ordered_json&) override {}

  private:
    ImageUpload& real_;
};

} // namespace kiln
