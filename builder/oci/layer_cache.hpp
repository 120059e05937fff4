// SPDX-License-Identifier: MIT
//
// Keeps the compressed blobs of layers, so that an unchanged layer is neither packed nor compressed
// again. Knows keys and blobs only.
#pragma once

#include "base/io/digest.hpp"
#include "base/io/file.hpp"

#include <cstdint>
#include <optional>

namespace kiln {

/// A layer as a blob.
struct LayerBlob {
    Digest digest;          ///< of the compressed blob
    std::uint64_t size = 0; ///< bytes of the compressed blob
    Digest diff_id;         ///< of the plain tar
};

class LayerCache {
  public:
    LayerCache() = default;
    LayerCache(const LayerCache&) = delete;
    LayerCache& operator=(const LayerCache&) = delete;
    virtual ~LayerCache() = default;

    /// Puts the blob of `key` at `blobs`/HEX (HEX its digest) and describes it; nothing when it is
    /// not kept, or no longer what it was.
    [[nodiscard]] virtual std::optional<LayerBlob>
    find(const Digest& key, const fs::path& blobs) = 0;
    /// Keeps the blob that is at `blobs`/HEX.
    virtual void store(const Digest& key, const LayerBlob& blob, const fs::path& blobs) = 0;
};

/// Keeps blobs in a directory: `blobs/HEX`, and `KEY.json` that names one. Blobs are hard-linked
/// where the file system allows it and are therefore never written to; find() compares digests.
class DirectoryLayerCache final : public LayerCache {
  public:
    explicit DirectoryLayerCache(fs::path directory);
    [[nodiscard]] std::optional<LayerBlob> find(const Digest& key, const fs::path& blobs) override;
    void store(const Digest& key, const LayerBlob& blob, const fs::path& blobs) override;

    /// Bytes of all blobs.
    [[nodiscard]] std::uint64_t bytes() const;
    /// Drops what neither find() nor store() named since `time` (seconds since 1970). Returns the
    /// bytes that it freed.
    std::uint64_t prune(std::int64_t time);

  private:
    fs::path directory_;
};

} // namespace kiln
