// SPDX-License-Identifier: MIT
//
// Reads tar archives, plain or compressed, member by member from any Source. A thin wrapper of
// libarchive that knows nothing of what the members mean: whiteouts, packages and sources are the
// callers' business.
#pragma once

#include "archive/archive_limits.hpp"
#include "tree/file_tree.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kiln {

/// One member of an archive. In `entry`, `content`, `source` and `data` are never set; a hard link
/// is a regular file of size 0 whose `hardlink_to` is the normalised path that the archive names.
struct ArchiveMember {
    std::string path; ///< normalised, see normalize_member_path()
    Entry entry;
    /// Names of owner and group, which an archive may state beside their numbers; else empty.
    std::string user = {};
    std::string group = {};
};

/// The path of a tree that an archive's raw member name represents: "./usr//bin/" -> "usr/bin",
/// "./" -> "". Throws Error for an absolute, an empty or an upward ("..") name, which no archive
/// that kiln reads has a reason to hold, and for one that no file system could hold.
[[nodiscard]] std::string normalize_member_path(std::string_view raw);

/// Which compressions are looked for. `none` reads a plain tar only, so that a stream that was
/// decompressed before is not taken for a compressed one.
enum class ArchiveFilters { none, detect };

/// Iterates an archive: ustar, pax and GNU tar, plain or compressed by gzip, bzip2, xz or zstd.
class ArchiveReader {
  public:
    /// `source` and `budget` must outlive the reader; `name` is what messages call the archive.
    /// Without a budget the archive gets its own, with the usual limits. Throws Error when
    /// it is not an archive.
    ArchiveReader(
        Source& source,
        std::string name,
        ArchiveFilters filters = ArchiveFilters::detect,
        ArchiveBudget* budget = nullptr);
    ~ArchiveReader();

    /// The next member; nothing at the end of the archive. Unread content is skipped. Throws Error
    /// on damaged archives, on whatever libarchive only warns of and beyond the budget's limits,
    /// what the source throws, and Interrupted.
    [[nodiscard]] std::optional<ArchiveMember> next();
    /// The content of the current member, holes filled with zeros; empty for all but regular
    /// files. Valid until next().
    [[nodiscard]] Source& content();

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

/// Decompresses a gzip (all members), bzip2, xz or zstd (all frames) stream, recognised by its
/// first bytes; anything else passes as it is. Checksums of gzip members are not compared: callers
/// verify digests. Throws Error on damaged or truncated streams.
class DecompressSource final : public Source {
  public:
    /// `below` must outlive this; `name` is what messages call the stream. Of the limits only the
    /// ratio counts.
    DecompressSource(Source& below, std::string name, const ArchiveLimits& limits = {});
    ~DecompressSource() override;
    std::size_t read(std::span<std::byte> buffer) override;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace kiln
