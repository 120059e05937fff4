// SPDX-License-Identifier: MIT
#include "firstrun/host/host.hpp"

#include "base/io/file.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

namespace kiln::firstrun {

Operations::Operations(const Environment& env) {
    if (const auto it = env.find("FIRST_RUN_KILL_AT"); it != env.end()) {
        kill_at_ = parse_unsigned(it->second).value_or(0);
    }
    trace_ = env.contains("FIRST_RUN_TRACE");
}

void Operations::next(std::string_view what) {
    ++count_;
    if (trace_) {
        fmt::print(stderr, "operation {}: {}\n", count_, what);
    }
    if (count_ == kill_at_) {
        ::raise(SIGKILL);
    }
}

namespace {

FileInfo::Type type_of(mode_t mode) {
    if (S_ISREG(mode)) {
        return FileInfo::Type::file;
    }
    if (S_ISDIR(mode)) {
        return FileInfo::Type::directory;
    }
    if (S_ISLNK(mode)) {
        return FileInfo::Type::link;
    }
    return S_ISBLK(mode) ? FileInfo::Type::block_device : FileInfo::Type::other;
}

[[noreturn]] void fail(std::string_view action, const fs::path& path) {
    throw SystemError(fmt::format("cannot {} '{}'", action, path.string()));
}

void sync_directory(const fs::path& path) {
    const UniqueFd fd = open_file(path, O_RDONLY | O_DIRECTORY);
    ::fsync(fd.get());
}

/// What other programs wrote below `path` reaches the disk before a name is given to it: else a
/// power cut can leave the name with empty files behind it.
void sync_content(const fs::path& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd.is_open() || ::syncfs(fd.get()) != 0) {
        fail("write to disk", path);
    }
}

void set_owner_and_mode(int fd, Owner owner, unsigned mode, const fs::path& path) {
    struct stat info{};
    if (::fstat(fd, &info) != 0) {
        fail("access", path);
    }
    if ((info.st_uid != owner.uid || info.st_gid != owner.gid) &&
        ::fchown(fd, owner.uid, owner.gid) != 0) {
        fail("set the owner of", path);
    }
    if ((info.st_mode & 07777U) != mode && ::fchmod(fd, mode) != 0) {
        fail("set the mode of", path);
    }
}

/// The name under which a file is written before it gets its own. Only one first-run works at a
/// time, so that a killed run leaves at most this one, which the next run replaces.
fs::path neighbour(const fs::path& path) {
    return path.parent_path() / fmt::format(".{}.new", path.filename().string());
}

} // namespace

fs::path Host::real(const fs::path& path) const {
    return root_.empty() || root_ == "/" ? path : root_ / path.relative_path();
}

std::optional<FileInfo> Host::look(const fs::path& path) const {
    struct stat info{};
    if (::lstat(real(path).c_str(), &info) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) {
            return std::nullopt;
        }
        fail("access", path);
    }
    return FileInfo{
        type_of(info.st_mode),
        {info.st_uid, info.st_gid},
        info.st_mode & 07777U,
        static_cast<std::uint64_t>(info.st_size),
        info.st_mtime};
}

void Host::change_owner(const fs::path& path, Owner owner) {
    operations_.next(fmt::format("change the owner of {}", path.string()));
    const UniqueFd fd(::open(real(path).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat info{};
    if (!fd.is_open() || ::fstat(fd.get(), &info) != 0) {
        fail("open", path);
    }
    if (!S_ISREG(info.st_mode) || info.st_nlink != 1) {
        return;
    }
    if (::fchown(fd.get(), owner.uid, owner.gid) != 0) {
        fail("set the owner of", path);
    }
}

std::optional<std::string> Host::read(const fs::path& path) const {
    std::error_code ignored;
    if (!fs::is_regular_file(real(path), ignored)) {
        return std::nullopt;
    }
    return read_text_file(real(path));
}

std::vector<std::string> Host::list(const fs::path& path) const {
    std::vector<std::string> names;
    std::error_code failure;
    for (fs::directory_iterator it(real(path), failure), end; !failure && it != end;
         it.increment(failure)) {
        names.push_back(it->path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::string Host::link_target(const fs::path& path) const {
    std::error_code failure;
    const fs::path target = fs::read_symlink(real(path), failure);
    return failure ? std::string() : target.string();
}

bool Host::is_mount_point(const fs::path& path) const {
    const auto mounts = read("/proc/self/mountinfo");
    if (!mounts) {
        return false;
    }
    // Fields: id, parent, device, root, mount point, ...
    const std::vector<std::string> lines = split_lines(*mounts);
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
        const std::vector<std::string> fields = split(line, ' ');
        return fields.size() > 4 && fields[4] == path.string();
    });
}

bool Host::is_writable(const fs::path& path) const {
    return ::access(real(path).c_str(), W_OK) == 0;
}

std::uint64_t Host::free_bytes(const fs::path& path) const {
    struct statvfs info{};
    if (::statvfs(real(path).c_str(), &info) != 0) {
        fail("access the file system of", path);
    }
    return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

ProcessResult Host::query(const Command& command, const Account* user) {
    return launcher_.run(command, user);
}

bool Host::has_program(std::string_view name) const {
    const std::vector<std::string> folders = split(clean_environment().at("PATH"), ':');
    return std::any_of(folders.begin(), folders.end(), [&](const std::string& folder) {
        return ::access(real(fs::path(folder) / name).c_str(), X_OK) == 0;
    });
}

void Host::make_directory(const fs::path& path, Owner owner, unsigned mode) {
    operations_.next(fmt::format("create directory {} ({:o})", path.string(), mode));
    const fs::path place = real(path);
    if (::mkdir(place.c_str(), 0700) != 0 && errno != EEXIST) {
        fail("create directory", path);
    }
    const UniqueFd fd = open_file(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    set_owner_and_mode(fd.get(), owner, mode, path);
}

void Host::write_file(const fs::path& path, std::string_view text, Owner owner, unsigned mode) {
    operations_.next(fmt::format("write {} ({:o})", path.string(), mode));
    const fs::path place = real(path);
    const fs::path temporary = neighbour(place);
    ::unlink(temporary.c_str());
    {
        const UniqueFd fd = open_file(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
        set_owner_and_mode(fd.get(), owner, mode, path);
        write_all(fd.get(), as_byte_span(text), path);
        if (::fsync(fd.get()) != 0) {
            fail("write", path);
        }
    }
    operations_.next(fmt::format("move {} into place", path.string()));
    if (::rename(temporary.c_str(), place.c_str()) != 0) {
        fail("replace", path);
    }
    sync_directory(place.parent_path());
}

void Host::append_line(const fs::path& path, std::string_view line, unsigned mode) {
    operations_.next(fmt::format("append to {}", path.string()));
    const UniqueFd fd = open_file(real(path), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, mode);
    write_all(fd.get(), as_byte_span(fmt::format("{}\n", line)), path);
    ::fdatasync(fd.get());
}

void Host::link(const std::string& target, const fs::path& path) {
    operations_.next(fmt::format("link {} to {}", path.string(), target));
    const fs::path place = real(path);
    const fs::path temporary = neighbour(place);
    ::unlink(temporary.c_str());
    if (::symlink(target.c_str(), temporary.c_str()) != 0 ||
        ::rename(temporary.c_str(), place.c_str()) != 0) {
        fail("create the link", path);
    }
    sync_directory(place.parent_path());
}

void Host::rename(const fs::path& from, const fs::path& to) {
    operations_.next(fmt::format("rename {} to {}", from.string(), to.string()));
    sync_content(real(from));
    if (::rename(real(from).c_str(), real(to).c_str()) != 0) {
        fail("rename", from);
    }
    sync_directory(real(to).parent_path());
}

void Host::exchange(const fs::path& one, const fs::path& other) {
    operations_.next(fmt::format("exchange {} and {}", one.string(), other.string()));
    sync_content(real(one));
    if (::renameat2(AT_FDCWD, real(one).c_str(), AT_FDCWD, real(other).c_str(), RENAME_EXCHANGE) !=
        0) {
        fail("exchange", one);
    }
    sync_directory(real(one).parent_path());
}

void Host::remove(const fs::path& path) {
    operations_.next(fmt::format("remove {}", path.string()));
    if (::unlink(real(path).c_str()) != 0 && errno != ENOENT) {
        fail("remove", path);
    }
}

void Host::remove_tree(const fs::path& path) {
    if (!exists(path)) {
        return;
    }
    operations_.next(fmt::format("remove the tree {}", path.string()));
    std::error_code failure;
    fs::remove_all(real(path), failure);
    if (failure) {
        throw SystemError(fmt::format("cannot remove '{}'", path.string()), failure.value());
    }
}

std::string Host::run(std::string_view what, const Command& command, const Account* user) {
    const ProcessResult result = try_run(what, command, user);
    if (!result.ok()) {
        throw ProcessError(fmt::format("'{}'", command.program), result);
    }
    return result.output;
}

ProcessResult Host::try_run(std::string_view what, const Command& command, const Account* user) {
    operations_.next(fmt::format("{} (run {})", what, command.program));
    return launcher_.run(command, user);
}

std::unique_ptr<Server> Host::start(
    std::string_view what, const Command& command, const Account* user, const fs::path& log) {
    operations_.next(fmt::format("{} (start {})", what, command.program));
    return launcher_.start(command, user, real(log));
}

void Host::mount(const MountRequest& request) {
    operations_.next(fmt::format("mount {} on {}", request.source, request.target.string()));
    if (::mount(
            request.source.c_str(),
            real(request.target).c_str(),
            request.type.c_str(),
            request.flags,
            nullptr) != 0) {
        throw SystemError(
            fmt::format("cannot mount '{}' on '{}'", request.source, request.target.string()));
    }
}

void Host::unmount(const fs::path& target) noexcept {
    ::umount2(real(target).c_str(), MNT_DETACH);
}

void Host::set_host_name(const std::string& name) {
    operations_.next(fmt::format("set the host name {}", name));
    if (::sethostname(name.c_str(), name.size()) != 0) {
        throw SystemError("cannot set the host name");
    }
}

} // namespace kiln::firstrun
