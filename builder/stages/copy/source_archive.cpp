// SPDX-License-Identifier: MIT
#include "stages/copy/source_archive.hpp"

#include "archive/archive_reader.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "stages/stage.hpp"

#include <fmt/format.h>

#include <array>
#include <functional>
#include <optional>
#include <set>

namespace kiln {

namespace {

constexpr const char* kSupported =
    "supported: tar archives, uncompressed or compressed with gzip, bzip2, xz or zstd";

Error refused(const SourceInput& source, std::string_view why) {
    return Error(fmt::format("{}: {}", source.name, why), ExitCode::invalid_recipe);
}

/// A member's path without its leading components; nothing when that leaves no name.
std::optional<std::string> stripped(std::string path, unsigned count) {
    for (; count > 0; --count) {
        const std::size_t slash = path.find('/');
        if (slash == std::string::npos) {
            return std::nullopt;
        }
        path.erase(0, slash + 1);
    }
    return path.empty() ? std::nullopt : std::optional(path);
}

/// APPNOTE.TXT 4.3.7 and 4.3.16: a zip begins with a file's header, or with its end when empty.
bool is_zip(const fs::path& file) {
    std::array<std::byte, 4> head{};
    FileSource source(file);
    std::size_t size = 0;
    while (size < head.size()) {
        const std::size_t count = source.read(std::span(head).subspan(size));
        if (count == 0) {
            return false;
        }
        size += count;
    }
    const auto begins = [&](unsigned third, unsigned fourth) {
        return head[0] == std::byte{'P'} && head[1] == std::byte{'K'} &&
               head[2] == std::byte(third) && head[3] == std::byte(fourth);
    };
    return begins(3, 4) || begins(5, 6);
}

/// What a member becomes.
struct SourceMember {
    std::string path; ///< below the source's folder
    const Entry& entry;
    std::string first; ///< of a hard link: the path of the file that it is
};

using Take = std::function<void(const SourceMember&, Source& content)>;

void read_members(const SourceInput& source, const Take& take) {
    FileSource file(source.path);
    ArchiveReader reader(file, source.name);
    std::set<std::string, std::less<>> files;
    while (const auto member = reader.next()) {
        const auto path = stripped(member->path, source.strip);
        if (!path) {
            continue;
        }
        SourceMember out{*path, member->entry, {}};
        if (member->entry.type == FileType::regular) {
            if (const std::string& link = member->entry.hardlink_to; !link.empty()) {
                out.first = stripped(link, source.strip).value_or("");
                if (!files.contains(out.first)) {
                    throw refused(
                        source,
                        fmt::format(
                            "'{}' is a hard link to '{}', which is not an earlier file in the "
                            "archive",
                            printable(member->path),
                            printable(link)));
                }
            }
            files.insert(*path);
        } else if (
            member->entry.type != FileType::directory && member->entry.type != FileType::symlink) {
            throw refused(
                source,
                fmt::format("'{}' is not a file, directory or link", printable(member->path)));
        }
        take(out, reader.content());
    }
}

void read_archive(const SourceInput& source, const Take& take) {
    if (is_zip(source.path)) {
        throw refused(source, "it is a zip archive").with_hint(kSupported);
    }
    read_members(source, take);
}

} // namespace

void check_source_archive(const SourceInput& source) {
    try {
        read_archive(source, [](const SourceMember&, Source& content) {
            NullSink nowhere;
            copy(content, nowhere);
        });
    } catch (const SystemError&) {
        throw;
    } catch (const Error& error) {
        if (error.exit_code() == ExitCode::invalid_recipe) {
            throw;
        }
        throw refused(source, error.message()).with_hint(kSupported);
    }
}

void unpack_source(
    const SourceInput& source,
    const std::string& to,
    const TreeRoot& tree,
    const OwnershipOf& ownership_of) {
    tree.make_directory(to, ownership_of("", 0755));
    read_archive(source, [&](const SourceMember& member, Source& content) {
        const bool executable =
            member.entry.type == FileType::directory || (member.entry.mode & 0100U) != 0;
        const Ownership owner = ownership_of(member.path, executable ? 0755 : 0644);
        const std::string target = to + "/" + member.path;
        if (member.entry.type == FileType::directory) {
            tree.make_directory(target, owner);
        } else if (member.entry.type == FileType::symlink) {
            tree.make_link(target, member.entry.target, owner);
        } else if (member.first.empty()) {
            tree.write_file(target, content, owner);
        } else {
            tree.make_directories(parent_path(target));
            tree.make_hard_link(to + "/" + member.first, target);
        }
    });
}

} // namespace kiln
