// SPDX-License-Identifier: MIT
#include "formats/archive_unpack.hpp"

#include "base/error.hpp"
#include "formats/archive_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <set>
#include <utility>
#include <vector>

namespace kiln {

namespace {

void set_time(const fs::path& path, std::int64_t seconds) {
    const std::array<timespec, 2> times{{{seconds, 0}, {seconds, 0}}};
    if (::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
        throw SystemError(fmt::format("cannot set the time of '{}'", path.string()));
    }
}

/// Nothing is ever written through a symbolic link.
class Unpacker {
  public:
    Unpacker(const std::string& name, const fs::path& folder) : name_(name), folder_(folder) {}

    void add(const ArchiveMember& member, Source& content) {
        if (member.path.empty()) {
            folder_times_.emplace_back(folder_, member.entry.mtime);
            return;
        }
        refuse_links_on_the_way(member.path);
        const fs::path path = folder_ / member.path;
        make_folder(path.parent_path());
        switch (member.entry.type) {
        case FileType::directory:
            make_folder(path);
            folder_times_.emplace_back(path, member.entry.mtime);
            break;
        case FileType::symlink:
            fs::create_symlink(member.entry.target, path);
            set_time(path, member.entry.mtime);
            links_.insert(member.path);
            break;
        case FileType::regular:
            write(member, content, path);
            break;
        default:
            throw Error(fmt::format(
                "'{}' of '{}' is neither file, directory nor link", member.path, name_));
        }
    }

    /// Last: every file that is added changes its folder's time.
    void set_folder_times() const {
        for (const auto& [path, time] : folder_times_) {
            set_time(path, time);
        }
    }

  private:
    void refuse_links_on_the_way(const std::string& path) const {
        for (std::size_t at = path.find('/'); at != std::string::npos;
             at = path.find('/', at + 1)) {
            if (links_.contains(path.substr(0, at))) {
                throw Error(fmt::format("'{}' of '{}' lies behind a link", path, name_));
            }
        }
    }

    void make_folder(const fs::path& path) {
        if (made_.insert(path.string()).second && fs::create_directories(path)) {
            fs::permissions(path, fs::perms(0755));
        }
    }

    void write(const ArchiveMember& member, Source& content, const fs::path& path) const {
        const std::string& first = member.entry.hardlink_to;
        if (!first.empty()) {
            refuse_links_on_the_way(first);
            fs::create_hard_link(folder_ / first, path);
            return;
        }
        const bool executable = (member.entry.mode & 0100U) != 0;
        const UniqueFd fd = open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
        FdSink sink(fd.get(), path);
        copy(content, sink);
        fs::permissions(path, fs::perms(executable ? 0755 : 0644));
        set_time(path, member.entry.mtime);
    }

    const std::string& name_;
    const fs::path& folder_;
    std::set<std::string> links_;
    std::set<std::string> made_;
    std::vector<std::pair<fs::path, std::int64_t>> folder_times_;
};

} // namespace

void unpack_archive(Source& archive, const std::string& name, const fs::path& folder) {
    with_context(fmt::format("unpacking '{}'", name), [&] {
        ArchiveReader reader(archive, name);
        Unpacker unpacker(name, folder);
        while (const auto member = reader.next()) {
            unpacker.add(*member, reader.content());
        }
        unpacker.set_folder_times();
    });
}

} // namespace kiln
