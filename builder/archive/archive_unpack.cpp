// SPDX-License-Identifier: MIT
#include "archive/archive_unpack.hpp"

#include "archive/archive_reader.hpp"
#include "base/error.hpp"
#include "base/io/beneath.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>
#include <set>
#include <utility>

namespace kiln {

namespace {

constexpr std::string_view kTwice = "the archive has more than one member with this name";

std::array<timespec, 2> times_of(std::int64_t seconds) {
    return {{{seconds, 0}, {seconds, 0}}};
}

/// All names are resolved by the kernel, beneath the folder and without following a link, so that
/// it does not matter in which order members come or what is in the folder.
class Unpacker {
  public:
    Unpacker(const std::string& name, const fs::path& folder, ArchiveBudget& budget)
        : name_(name), budget_(budget), top_(open_top(folder)) {}

    void add(const ArchiveMember& member, Source& content) {
        try {
            put(member, content);
        } catch (Error& error) {
            error.add_context(fmt::format(
                "unpacking member '{}' of '{}'", printable(member.path), printable(name_)));
            throw;
        }
    }

    /// Last: every file that is added changes its folder's time.
    void set_folder_times() const {
        for (const auto& [path, time] : folder_times_) {
            const UniqueFd folder = open_beneath(top_.get(), path, O_RDONLY | O_DIRECTORY);
            if (::futimens(folder.get(), times_of(time).data()) != 0) {
                throw SystemError(fmt::format("cannot set the time of '{}'", printable(path)));
            }
        }
    }

  private:
    [[noreturn]] void refuse(const ArchiveMember& member, std::string_view why) const {
        throw Error(fmt::format(
            "cannot unpack '{}' from '{}': {}", printable(member.path), printable(name_), why));
    }

    void put(const ArchiveMember& member, Source& content) {
        if (member.path.empty() && member.entry.type != FileType::directory) {
            refuse(member, "the root of an archive must be a directory");
        }
        switch (member.entry.type) {
        case FileType::directory:
            make_folder(member);
            break;
        case FileType::symlink:
            make_link(member);
            break;
        case FileType::regular:
            if (member.entry.hardlink_to.empty()) {
                write(member, content);
            } else {
                make_hard_link(member);
            }
            break;
        default:
            refuse(member, "not a file, directory or link");
        }
    }

    /// One member may represent many directories that have no member of their own.
    void account_for(std::string_view folder) {
        for (; !folder.empty() && folders_.emplace(folder).second; folder = parent_path(folder)) {
            budget_.add_member(name_, folder, Entry());
        }
    }

    /// The directory of `path`, made if it is missing.
    [[nodiscard]] UniqueFd
    parent_of(const ArchiveMember& member, const std::string& path, bool make) {
        const std::string parent(parent_path(path));
        account_for(parent);
        try {
            return make ? make_directories_beneath(top_.get(), parent)
                        : open_beneath(top_.get(), parent, O_PATH | O_DIRECTORY);
        } catch (const SystemError& error) {
            if (error.error_number() != ENOTDIR && error.error_number() != ENOENT) {
                throw;
            }
            refuse(member, fmt::format("'{}' is not a directory", printable(parent)));
        } catch (const Error&) {
            refuse(member, fmt::format("'{}' passes through a symbolic link", printable(parent)));
        }
    }

    void make_folder(const ArchiveMember& member) {
        if (!member.path.empty()) {
            const UniqueFd parent = parent_of(member, member.path, true);
            struct stat status{};
            const std::string name(base_name(member.path));
            if (::fstatat(parent.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                !S_ISDIR(status.st_mode)) {
                refuse(member, kTwice);
            }
            static_cast<void>(make_directories_beneath(parent.get(), name));
        }
        folder_times_[member.path] = member.entry.mtime;
    }

    [[noreturn]] void fail(const ArchiveMember& member) const {
        if (errno == EEXIST) {
            refuse(member, kTwice);
        }
        throw SystemError(
            fmt::format("cannot unpack '{}' from '{}'", printable(member.path), printable(name_)));
    }

    void make_link(const ArchiveMember& member) {
        const UniqueFd parent = parent_of(member, member.path, true);
        const std::string name(base_name(member.path));
        if (::symlinkat(member.entry.target.c_str(), parent.get(), name.c_str()) != 0 ||
            ::utimensat(
                parent.get(),
                name.c_str(),
                times_of(member.entry.mtime).data(),
                AT_SYMLINK_NOFOLLOW) != 0) {
            fail(member);
        }
    }

    void make_hard_link(const ArchiveMember& member) {
        const std::string& first = member.entry.hardlink_to;
        const UniqueFd from = parent_of(member, first, false);
        const std::string first_name(base_name(first));
        struct stat status{};
        if (::fstatat(from.get(), first_name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(status.st_mode)) {
            refuse(
                member,
                fmt::format(
                    "it is a hard link to '{}', which is not a regular file", printable(first)));
        }
        const UniqueFd parent = parent_of(member, member.path, true);
        // Without AT_SYMLINK_FOLLOW: the name itself is linked, whatever it is by now.
        if (::linkat(
                from.get(),
                first_name.c_str(),
                parent.get(),
                std::string(base_name(member.path)).c_str(),
                0) != 0) {
            fail(member);
        }
    }

    void write(const ArchiveMember& member, Source& content) {
        const UniqueFd parent = parent_of(member, member.path, true);
        const bool executable = (member.entry.mode & 0100U) != 0;
        UniqueFd fd;
        try {
            fd = open_beneath(
                parent.get(), std::string(base_name(member.path)), O_WRONLY | O_CREAT, 0600);
        } catch (const SystemError& error) {
            errno = error.error_number();
            fail(member);
        }
        FdSink sink(fd.get(), member.path);
        copy(content, sink);
        if (::fchmod(fd.get(), executable ? 0755 : 0644) != 0 ||
            ::futimens(fd.get(), times_of(member.entry.mtime).data()) != 0) {
            fail(member);
        }
    }

    const std::string& name_;
    ArchiveBudget& budget_;
    UniqueFd top_;
    std::set<std::string, std::less<>> folders_;
    std::map<std::string, std::int64_t> folder_times_;
};

} // namespace

void unpack_archive(
    Source& archive, const std::string& name, const fs::path& folder, const ArchiveLimits& limits) {
    with_context(fmt::format("unpacking '{}'", printable(name)), [&] {
        ArchiveBudget budget(limits);
        ArchiveReader reader(archive, name, ArchiveFilters::detect, &budget);
        Unpacker unpacker(name, folder, budget);
        while (const auto member = reader.next()) {
            unpacker.add(*member, reader.content());
        }
        unpacker.set_folder_times();
    });
}

} // namespace kiln
