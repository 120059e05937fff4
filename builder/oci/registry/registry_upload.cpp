// SPDX-License-Identifier: MIT
#include "oci/registry/registry_upload.hpp"

#include "base/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace kiln {

/// A window of the content.
class UploadSource::Part final : public Source {
  public:
    Part(UploadSource& whole, std::uint64_t bytes) : whole_(whole), left_(bytes) {}

    std::size_t read(std::span<std::byte> buffer) override {
        const std::size_t wanted =
            static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left_));
        const std::size_t got = wanted == 0 ? 0 : whole_.read(buffer.first(wanted));
        left_ -= got;
        return got;
    }

  private:
    UploadSource& whole_;
    std::uint64_t left_;
};

UploadSource::UploadSource(
    const OciDescriptor& blob, OpenSource open, std::function<void(std::int64_t)> on_bytes)
    : blob_(blob), open_(std::move(open)), on_bytes_(std::move(on_bytes)) {}

OpenSource UploadSource::part(std::uint64_t offset, std::uint64_t bytes) {
    return [this, offset, bytes]() -> std::unique_ptr<Source> {
        go_to(offset);
        return std::make_unique<Part>(*this, bytes);
    };
}

void UploadSource::go_to(std::uint64_t offset) {
    if (source_ && position_ == offset) {
        return;
    }
    count(static_cast<std::int64_t>(offset) - static_cast<std::int64_t>(position_));
    source_ = open_();
    hash_.emplace();
    position_ = 0;
    skip(offset);
}

void UploadSource::skip(std::uint64_t bytes) {
    constexpr std::size_t kBlock = std::size_t{64} << 10U;
    std::vector<std::byte> block(kBlock);
    while (bytes > 0) {
        const std::size_t wanted =
            static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), bytes));
        const std::size_t got = source_->read(std::span(block).first(wanted));
        if (got == 0) {
            throw Error(fmt::format("blob {} is shorter than stated", blob_.digest.to_string()));
        }
        hash_->update(Bytes(block).first(got));
        position_ += got;
        bytes -= got;
    }
}

std::size_t UploadSource::read(std::span<std::byte> buffer) {
    const std::size_t got = source_->read(buffer);
    if (got == 0) {
        throw Error(fmt::format("blob {} is shorter than stated", blob_.digest.to_string()));
    }
    hash_->update(Bytes(buffer).first(got));
    position_ += got;
    if (position_ == blob_.size && hash_->finish() != blob_.digest) {
        throw Error(
            fmt::format("the content of blob {} has another digest", blob_.digest.to_string()));
    }
    count(static_cast<std::int64_t>(got));
    return got;
}

void UploadSource::count(std::int64_t bytes) const {
    if (on_bytes_ && bytes != 0) {
        on_bytes_(bytes);
    }
}

} // namespace kiln
