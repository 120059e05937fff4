// SPDX-License-Identifier: MIT
//
// The file is on a web server of the user's already: nothing is uploaded and nothing removed, but
// what DigitalOcean would stumble over is found before it is asked.
#pragma once

#include "base/http/http.hpp"
#include "publish/digitalocean/image_upload.hpp"

#include <string>

namespace kiln {

class UrlUpload final : public ImageUpload {
  public:
    /// `http` must outlive this. `allows_loopback`: for an API that is on this machine as well.
    /// Throws UsageError unless the URL is https: or http:, without login, query and fragment, and
    /// ends in the name of a disk that DigitalOcean takes.
    UrlUpload(HttpClient& http, std::string url, bool allows_loopback);

    [[nodiscard]] std::string_view kind() const override { return "url"; }

    /// Asks with HEAD, as DigitalOcean does: the answer must be 200 without a redirect and have a
    /// Content-Length, the file's own size when the URL names the same form of it. Throws Error.
    void check(const UploadFile& file) override;

    [[nodiscard]] std::string
    put(const UploadFile& file,
        const nlohmann::ordered_json& state,
        const Save& save,
        Job& progress) override;

    void remove(const nlohmann::ordered_json&) override {}

  private:
    HttpClient& http_;
    std::string url_;
};

/// Whether DigitalOcean takes a file of that name: .img, .qcow2, .vhdx, .vdi or .vmdk, plain or
/// with .gz or .bz2.
[[nodiscard]] bool is_importable_name(std::string_view name);

} // namespace kiln
