// SPDX-License-Identifier: MIT
//
// OCI layouts that no builder would write: blobs and JSON as the test says, digests right.
#pragma once

#include "base/io/digest.hpp"
#include "base/io/file.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace kiln::test {

class RawLayout {
  public:
    explicit RawLayout(fs::path path) : path_(std::move(path)) {
        fs::create_directories(path_ / "blobs/sha256");
        write_file(path_ / "oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
    }

    [[nodiscard]] const fs::path& path() const noexcept { return path_; }

    [[nodiscard]] fs::path blob(std::string_view bytes) const {
        return path_ / "blobs/sha256" / sha256(bytes).hex();
    }

    /// Writes a blob; returns its descriptor, with `more` members.
    [[nodiscard]] std::string put(std::string_view bytes, const std::string& more = "") const {
        write_file(blob(bytes), bytes);
        return descriptor(sha256(bytes), bytes.size(), more);
    }

    [[nodiscard]] static std::string
    descriptor(const Digest& digest, std::uint64_t size, const std::string& more = "") {
        return fmt::format(
            R"({{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"{}","size":{}{}}})",
            digest.to_string(),
            size,
            more);
    }

    void index(std::string_view text) const { write_file(path_ / "index.json", text); }

    /// Writes manifest and index around a config and descriptors of layers.
    void image(std::string_view config, const std::string& layers) const {
        manifest(fmt::format(R"({{"config":{},"layers":[{}]}})", put(config), layers));
    }

    void manifest(std::string_view text) const {
        index(fmt::format(R"({{"manifests":[{}]}})", put(text)));
    }

    /// An image of one layer, whose config is as it should be.
    void layer(std::string_view blob, const Digest& diff_id) const {
        image(fmt::format(R"({{"rootfs":{{"diff_ids":["{}"]}}}})", diff_id.to_string()), put(blob));
    }

  private:
    fs::path path_;
};

} // namespace kiln::test
