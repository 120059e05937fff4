// SPDX-License-Identifier: MIT
//
// Remembers deflated qcow2 clusters by the SHA-256 of their content, so that a disk that changed in
// a few places is recompressed only there. It saves time and never changes a byte of the result.
#pragma once

#include "base/io/digest.hpp"
#include "base/io/file.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

namespace kiln {

/// All members may be called from several threads.
class ClusterCache {
  public:
    using Deflated = std::vector<std::byte>;

    ClusterCache() = default;
    ClusterCache(const ClusterCache&) = delete;
    ClusterCache& operator=(const ClusterCache&) = delete;
    virtual ~ClusterCache() = default;

    /// What put() got for this digest; empty bytes stand for "does not shrink".
    [[nodiscard]] virtual std::optional<Deflated> find(const Digest& raw) = 0;
    virtual void put(const Digest& raw, Bytes deflated) = 0;

    /// Called once when an image is complete.
    virtual void flush() {}
};

/// Name of the file in a FileClusterCache's directory. It may be removed at any time.
inline constexpr const char* kClusterPackName = "clusters.pack";

/// Keeps the clusters in one append-only file, `directory`/clusters.pack. Several processes may
/// share it. Every record carries a checksum: what a killed process left half written is cut off by
/// the next one, and what does not match is not used.
class FileClusterCache final : public ClusterCache {
  public:
    /// `encoder` identifies the compressor and its settings; a pack made by another one is dropped.
    /// When the pack would outgrow `max_bytes`, it is rewritten with what this process used.
    /// Throws SystemError when the directory cannot be used.
    FileClusterCache(
        std::filesystem::path directory, std::string_view encoder, std::uint64_t max_bytes);

    [[nodiscard]] std::optional<Deflated> find(const Digest& raw) override;
    void put(const Digest& raw, Bytes deflated) override;
    void flush() override;

    [[nodiscard]] std::size_t size() const;

  private:
    struct Place {
        std::uint64_t offset = 0; ///< of the deflated bytes
        std::uint32_t size = 0;
        std::uint32_t checksum = 0;
    };

    [[nodiscard]] FileLock lock() const;

    [[nodiscard]] std::filesystem::path pack_path() const { return directory_ / kClusterPackName; }

    void open_pack();
    void start_pack(int fd) const;
    void index_from(std::uint64_t offset);
    [[nodiscard]] bool is_replaced() const;
    void append_pending();
    void compact();
    [[nodiscard]] std::optional<Deflated> load(const Place& place) const;

    std::filesystem::path directory_;
    Digest encoder_;
    std::uint64_t max_bytes_;
    mutable std::mutex mutex_;
    UniqueFd pack_;
    std::uint64_t end_ = 0; ///< of the last good record
    std::map<Digest, Place> index_;
    std::map<Digest, Deflated> pending_;
    std::uint64_t pending_bytes_ = 0;
    std::set<Digest> used_;
};

} // namespace kiln
