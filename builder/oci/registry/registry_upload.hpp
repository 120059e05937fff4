// SPDX-License-Identifier: MIT
//
// The content of a blob on its way to a registry: read from any place on, as often as an upload
// needs it, digested on the way and counted for progress. A part of oci/registry/registry.hpp.
#pragma once

#include "base/io/digest.hpp"
#include "base/io/stream.hpp"
#include "oci/registry/registry.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace kiln {

class UploadSource {
  public:
    /// `blob` must outlive this.
    UploadSource(
        const OciDescriptor& blob, OpenSource open, std::function<void(std::int64_t)> on_bytes);

    /// Opens `bytes` bytes from `offset` on; what was read beyond it counts as not sent. Of the
    /// parts only the last one that was opened may be read, and this must outlive it. Reading
    /// throws Error when the content is shorter than the blob or has another digest.
    [[nodiscard]] OpenSource part(std::uint64_t offset, std::uint64_t bytes);

  private:
    class Part;

    void go_to(std::uint64_t offset);
    std::size_t read(std::span<std::byte> buffer);
    void skip(std::uint64_t bytes);
    void count(std::int64_t bytes) const;

    const OciDescriptor& blob_;
    OpenSource open_;
    std::function<void(std::int64_t)> on_bytes_;
    std::unique_ptr<Source> source_;
    std::optional<Sha256> hash_;
    std::uint64_t position_ = 0;
};

} // namespace kiln
