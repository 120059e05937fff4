// SPDX-License-Identifier: MIT
#include "archive/archive_reader.hpp"

#include "archive/archive_stream.hpp"
#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <locale.h>

#include <algorithm>
#include <clocale>

namespace kiln {

namespace {

/// libarchive converts the UTF-8 names of pax headers to the locale's charset, which loses bytes in
/// the C locale. REPRO: names are read in C.UTF-8 whatever the host's locale is.
class Utf8Locale {
  public:
    Utf8Locale() : before_(::uselocale(shared())) {}

    Utf8Locale(const Utf8Locale&) = delete;
    Utf8Locale& operator=(const Utf8Locale&) = delete;

    ~Utf8Locale() { ::uselocale(before_); }

  private:
    static locale_t shared() {
        static const locale_t kLocale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
        KILN_CHECK(kLocale != nullptr);
        return kLocale;
    }

    locale_t before_;
};

FileType file_type(archive_entry* member, const std::string& path) {
    switch (archive_entry_filetype(member)) {
    case AE_IFREG:
        return FileType::regular;
    case AE_IFDIR:
        return FileType::directory;
    case AE_IFLNK:
        return FileType::symlink;
    case AE_IFCHR:
        return FileType::char_device;
    case AE_IFBLK:
        return FileType::block_device;
    case AE_IFIFO:
        return FileType::fifo;
    case AE_IFSOCK:
        return FileType::socket;
    default:
        throw Error(fmt::format("member '{}' is of an unknown type", printable(path)));
    }
}

Xattrs read_xattrs(archive_entry* member, const std::string& path) {
    Xattrs xattrs;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    archive_entry_xattr_reset(member);
    while (archive_entry_xattr_next(member, &name, &value, &size) == ARCHIVE_OK) {
        if (xattrs.size() == kMaxXattrs || size > kMaxXattrBytes ||
            std::string_view(name).size() > kMaxNameBytes) {
            throw Error(fmt::format(
                "member '{}' has extended attributes larger than Linux allows", printable(path)));
        }
        xattrs[name] = std::string(static_cast<const char*>(value), size);
    }
    return xattrs;
}

std::uint32_t checked_id(la_int64_t id, const std::string& path) {
    if (id < 0 || id > std::int64_t{UINT32_MAX} - 1) {
        throw Error(fmt::format("member '{}' has an invalid owner id {}", printable(path), id));
    }
    return static_cast<std::uint32_t>(id);
}

std::string text_or_empty(const char* text) {
    return text == nullptr ? std::string() : std::string(text);
}

/// libarchive gives the ends of the range for times that it cannot hold; no writer of archives
/// means them. Odd times that exist, such as Go's "no time" in the year 1, pass.
std::int64_t checked_time(std::int64_t seconds, const std::string& path) {
    constexpr std::int64_t kLargest = std::int64_t{1} << 40U; // 35,000 years
    if (seconds < -kLargest || seconds > kLargest) {
        throw Error(fmt::format(
            "member '{}' has an invalid modification time {}", printable(path), seconds));
    }
    return seconds;
}

ArchiveMember convert(archive_entry* member) {
    constexpr unsigned kPermissions = 07777;
    const char* raw = archive_entry_pathname(member);
    if (raw == nullptr) {
        throw Error("a member has no name");
    }
    ArchiveMember out;
    out.path = normalize_member_path(raw);
    Entry& entry = out.entry;
    entry.mode = archive_entry_perm(member) & kPermissions;
    entry.uid = checked_id(archive_entry_uid(member), out.path);
    entry.gid = checked_id(archive_entry_gid(member), out.path);
    entry.mtime = checked_time(archive_entry_mtime(member), out.path);
    entry.xattrs = read_xattrs(member, out.path);
    out.user = text_or_empty(archive_entry_uname(member));
    out.group = text_or_empty(archive_entry_gname(member));
    if (const char* hardlink = archive_entry_hardlink(member)) {
        entry.hardlink_to = normalize_member_path(hardlink);
        return out;
    }
    entry.type = file_type(member, out.path);
    if (entry.type == FileType::regular) {
        entry.size =
            static_cast<std::uint64_t>(std::max<la_int64_t>(archive_entry_size(member), 0));
    } else if (entry.type == FileType::symlink) {
        const char* target = archive_entry_symlink(member);
        entry.target = text_or_empty(target);
        if (entry.target.empty() || entry.target.size() > kMaxPathBytes) {
            throw Error(fmt::format(
                "symbolic link '{}' has a target of {} bytes",
                printable(out.path),
                entry.target.size()));
        }
    } else if (entry.type == FileType::char_device || entry.type == FileType::block_device) {
        entry.device_major = static_cast<std::uint32_t>(archive_entry_rdevmajor(member));
        entry.device_minor = static_cast<std::uint32_t>(archive_entry_rdevminor(member));
    }
    return out;
}

Error unusable_name(std::string_view raw) {
    constexpr std::size_t kShown = 256;
    return Error(
        fmt::format("archive member has an invalid name '{}'", printable(raw.substr(0, kShown))));
}

} // namespace

std::string normalize_member_path(std::string_view raw) {
    if (raw.empty() || raw.front() == '/') {
        throw unusable_name(raw);
    }
    std::string path;
    for (const std::string& part : split(raw, '/')) {
        if (part == "..") {
            throw unusable_name(raw);
        }
        if (part.empty() || part == ".") {
            continue;
        }
        if (!path.empty()) {
            path.push_back('/');
        }
        path += part;
    }
    require_possible_path(path);
    return path;
}

class ArchiveReader::Impl {
  public:
    Impl(Source& source, std::string name, ArchiveFilters filters, ArchiveBudget* budget)
        : budget_(budget == nullptr ? own_budget_ : *budget),
          plain_(make_plain(source, name, filters, budget_.limits())),
          stream_(plain_ ? *plain_ : source, std::move(name)),
          content_(stream_, budget_.limits(), &budget_) {
        const Utf8Locale locale;
        stream_.require(archive_read_support_format_tar(stream_.get()));
        stream_.open();
    }

    std::optional<ArchiveMember> next() {
        throw_if_interrupted();
        const Utf8Locale locale;
        skip_rest();
        archive_entry* member = nullptr;
        stream_.begin_header(budget_.limits().header_bytes);
        const int status = archive_read_next_header(stream_.get(), &member);
        stream_.end_header();
        if (status == ARCHIVE_EOF) {
            content_.start(0);
            return std::nullopt;
        }
        stream_.require(status);
        is_inside_ = true;
        return with_context(fmt::format("reading archive '{}'", printable(stream_.name())), [&] {
            ArchiveMember out = convert(member);
            budget_.add_member(stream_.name(), out.path, out.entry);
            content_.start(out.entry.size);
            return out;
        });
    }

    Source& content() { return content_; }

  private:
    /// Decompression is a separate stream, so that what a header costs can be counted.
    static std::unique_ptr<DecompressSource> make_plain(
        Source& source,
        const std::string& name,
        ArchiveFilters filters,
        const ArchiveLimits& limits) {
        return filters == ArchiveFilters::none
                   ? nullptr
                   : std::make_unique<DecompressSource>(source, name, limits);
    }

    /// Not left to archive_read_next_header(): content is not a header.
    void skip_rest() {
        if (!is_inside_) {
            return;
        }
        is_inside_ = false;
        const int status = archive_read_data_skip(stream_.get());
        if (status != ARCHIVE_EOF) {
            stream_.require(status);
        }
    }

    ArchiveBudget own_budget_;
    ArchiveBudget& budget_;
    std::unique_ptr<DecompressSource> plain_;
    ArchiveStream stream_;
    BlockSource content_;
    bool is_inside_ = false;
};

ArchiveReader::ArchiveReader(
    Source& source, std::string name, ArchiveFilters filters, ArchiveBudget* budget)
    : impl_(std::make_unique<Impl>(source, std::move(name), filters, budget)) {}

ArchiveReader::~ArchiveReader() = default;

std::optional<ArchiveMember> ArchiveReader::next() {
    return impl_->next();
}

Source& ArchiveReader::content() {
    return impl_->content();
}

class DecompressSource::Impl {
  public:
    Impl(Source& below, std::string name, const ArchiveLimits& limits)
        : stream_(below, std::move(name)), blocks_(stream_, limits, nullptr) {
        stream_.support_filters();
        stream_.require(archive_read_support_format_empty(stream_.get()));
        stream_.require(archive_read_support_format_raw(stream_.get()));
        stream_.open();
        archive_entry* member = nullptr;
        const int status = archive_read_next_header(stream_.get(), &member);
        if (status == ARCHIVE_EOF) {
            return;
        }
        stream_.require(status);
        blocks_.start_unbounded();
    }

    std::size_t read(std::span<std::byte> buffer) { return blocks_.read(buffer); }

  private:
    ArchiveStream stream_;
    BlockSource blocks_;
};

DecompressSource::DecompressSource(Source& below, std::string name, const ArchiveLimits& limits)
    : impl_(std::make_unique<Impl>(below, std::move(name), limits)) {}

DecompressSource::~DecompressSource() = default;

std::size_t DecompressSource::read(std::span<std::byte> buffer) {
    return impl_->read(buffer);
}

} // namespace kiln
