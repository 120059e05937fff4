// SPDX-License-Identifier: MIT
//
// What an archive of unknown origin may cost: a few bytes of it can represent any number of names,
// and for contents that fill every disk. Limits are far above what real systems have.
#pragma once

#include "tree/file_tree.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace kiln {

/// Linux' own limits: a path with its final NUL fits into PATH_MAX, a name into NAME_MAX.
inline constexpr std::size_t kMaxPathBytes = 4095;
inline constexpr std::size_t kMaxNameBytes = 255;
/// Directories in each other. Every one of them becomes an entry of a tree.
inline constexpr std::size_t kMaxPathDepth = 256;
inline constexpr std::size_t kMaxXattrs = 64;
inline constexpr std::size_t kMaxXattrBytes = std::size_t{64} << 10U; ///< XATTR_SIZE_MAX

struct ArchiveLimits {
    std::uint64_t members = 2'000'000;
    /// Names, link targets and extended attributes of all members together.
    std::uint64_t metadata_bytes = std::uint64_t{512} << 20U;
    std::uint64_t member_bytes = std::uint64_t{64} << 30U; ///< of one member, holes included
    std::uint64_t total_bytes = std::uint64_t{512} << 30U; ///< of all contents, holes included
    /// What precedes one member's content: pax headers and the map of a sparse file.
    std::uint64_t header_bytes = std::uint64_t{8} << 20U;
    /// What comes out may be this many times what went in, beyond the first `free_bytes`. Systems
    /// shrink to a third; zeros shrink to a thousandth by gzip.
    std::uint64_t ratio = 200;
    std::uint64_t free_bytes = std::uint64_t{1} << 30U;
};

/// Counts against the limits; archives that make up one image share a budget. All throw Error that
/// names the archive.
class ArchiveBudget {
  public:
    explicit ArchiveBudget(const ArchiveLimits& limits = {}) : limits_(limits) {}

    [[nodiscard]] const ArchiveLimits& limits() const noexcept { return limits_; }

    /// One more entry of a tree.
    void add_member(std::string_view archive, std::string_view path, const Entry& entry);
    /// More content, of whatever member.
    void add_content(std::string_view archive, std::uint64_t bytes);

  private:
    ArchiveLimits limits_;
    std::uint64_t members_ = 0;
    std::uint64_t metadata_bytes_ = 0;
    std::uint64_t content_bytes_ = 0;
};

/// Compares what comes out of a stream with what went in.
class RatioGuard {
  public:
    RatioGuard(const ArchiveLimits& limits, std::string name)
        : ratio_(limits.ratio), free_bytes_(limits.free_bytes), name_(std::move(name)) {}

    void add_in(std::uint64_t bytes) noexcept { in_ += bytes; }

    /// Throws Error.
    void add_out(std::uint64_t bytes);

  private:
    std::uint64_t ratio_;
    std::uint64_t free_bytes_;
    std::string name_;
    std::uint64_t in_ = 0;
    std::uint64_t out_ = 0;
};

/// Throws Error "archive member has ..." unless the kernel could hold a file of this path (which is
/// normalised).
void require_possible_path(std::string_view path);

} // namespace kiln
