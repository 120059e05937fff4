// SPDX-License-Identifier: MIT
#include "archive/archive_limits.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kiln {

namespace {

constexpr std::size_t kShownBytes = 80; ///< of a name that is too long

std::string shortened(std::string_view name) {
    const bool whole = name.size() <= kShownBytes;
    return printable(name.substr(0, kShownBytes)) + (whole ? "" : "...");
}

[[noreturn]] void exceed(std::string_view archive, const std::string& what) {
    throw Error(fmt::format("archive '{}' {}", printable(archive), what))
        .with_hint("the archive may be a decompression bomb");
}

} // namespace

void ArchiveBudget::add_member(
    std::string_view archive, std::string_view path, const Entry& entry) {
    if (++members_ > limits_.members) {
        exceed(archive, fmt::format("has more than {} members", limits_.members));
    }
    metadata_bytes_ += path.size() + entry.target.size() + entry.hardlink_to.size();
    for (const auto& [name, value] : entry.xattrs) {
        metadata_bytes_ += name.size() + value.size();
    }
    if (metadata_bytes_ > limits_.metadata_bytes) {
        exceed(
            archive,
            fmt::format(
                "has more than {} of file names and attributes",
                format_size(limits_.metadata_bytes)));
    }
    if (entry.size > limits_.member_bytes) {
        exceed(
            archive,
            fmt::format(
                "has a member '{}' of {}, the limit is {}",
                shortened(path),
                format_size(entry.size),
                format_size(limits_.member_bytes)));
    }
}

void ArchiveBudget::add_content(std::string_view archive, std::uint64_t bytes) {
    content_bytes_ += bytes;
    if (content_bytes_ > limits_.total_bytes) {
        exceed(archive, fmt::format("contains more than {}", format_size(limits_.total_bytes)));
    }
}

void RatioGuard::add_out(std::uint64_t bytes) {
    out_ += bytes;
    if (out_ > free_bytes_ && out_ / ratio_ > in_) {
        exceed(
            name_,
            fmt::format("expands {} to more than {}", format_size(in_), format_size(out_ - bytes)));
    }
}

void require_possible_path(std::string_view path) {
    if (path.size() > kMaxPathBytes) {
        throw Error(fmt::format(
            "archive member has a path of {} bytes: '{}'", path.size(), shortened(path)));
    }
    std::size_t depth = 0;
    for (std::string_view rest = path; !rest.empty();) {
        const std::size_t end = std::min(rest.find('/'), rest.size());
        if (end > kMaxNameBytes) {
            throw Error(fmt::format(
                "archive member has a name of {} bytes: '{}'",
                end,
                shortened(rest.substr(0, end))));
        }
        if (++depth > kMaxPathDepth) {
            throw Error(fmt::format(
                "archive member has more than {} directories: '{}'",
                kMaxPathDepth,
                shortened(path)));
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
}

} // namespace kiln
