// SPDX-License-Identifier: MIT
#include "sandbox/namespaces.hpp"

#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/process/resource_limits.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace kiln {

namespace {

constexpr std::uint32_t kIdCount = TreeIds::kCount;

BuildNamespace the_namespace;

/// All ranges of at least kIdCount ids that a user has.
std::vector<IdRange> ranges_of(std::string_view text, std::string_view user, std::uint32_t uid) {
    std::vector<IdRange> out;
    for (const std::string& line : split_lines(text)) {
        const auto fields = split(line, ':');
        if (fields.size() != 3 || (fields[0] != user && fields[0] != std::to_string(uid))) {
            continue;
        }
        const auto start = parse_unsigned(fields[1]);
        const auto count = parse_unsigned(fields[2]);
        if (start && count && *count >= kIdCount && *count <= UINT32_MAX &&
            *start <= UINT32_MAX - kIdCount) {
            out.push_back({static_cast<std::uint32_t>(*start), static_cast<std::uint32_t>(*count)});
        }
    }
    return out;
}

std::string text_of(const char* file) {
    return fs::exists(file) ? read_text_file(file) : std::string();
}

/// Whether this user namespace has all ids there are, as the machine's first one has.
bool owns_all_ids() {
    const auto fields = split(text_of("/proc/self/uid_map"), ' ');
    return !fields.empty() && trim(fields.back()) == "4294967295";
}

/// Maps onto themselves of all ids that this namespace has.
IdMaps same_ids() {
    const auto map = [](const char* file) {
        std::string out;
        for (const std::string& line : split_lines(text_of(file))) {
            std::vector<std::string> fields = split(line, ' ');
            std::erase(fields, "");
            if (fields.size() == 3) {
                out += fmt::format("{} {} {}\n", fields[0], fields[0], fields[2]);
            }
        }
        return out;
    };
    return {map("/proc/self/uid_map"), map("/proc/self/gid_map")};
}

/// A tree's ids as they lie in this namespace.
IdMaps shifted_ids(const TreeIds& ids) {
    const std::string map = fmt::format("0 {} {}\n", ids.offset, TreeIds::kCount);
    return {map, map};
}

std::uint32_t require_root_range() {
    const std::string subuid = text_of("/etc/subuid");
    const std::string subgid = text_of("/etc/subgid");
    if (const auto range = find_root_range(subuid, subgid)) {
        return range->start;
    }
    const std::uint32_t start = free_range_start(subuid, subgid);
    throw Error(
        fmt::format(
            "root has no range of {} subordinate ids in '/etc/subuid' and '/etc/subgid'; kiln "
            "needs them to run maintainer scripts without root privileges on this host",
            kIdCount))
        .with_hint(fmt::format(
            "usermod --add-subuids {0}-{1} --add-subgids {0}-{1} root",
            start,
            start + kIdCount - 1));
}

std::string user_name(uid_t uid) {
    const passwd* entry = ::getpwuid(uid);
    return entry == nullptr ? std::to_string(uid) : entry->pw_name;
}

IdRange require_range(const char* file, const std::string& user, uid_t uid) {
    if (const auto range = find_id_range(text_of(file), user, uid)) {
        return *range;
    }
    throw Error(
        fmt::format("user '{}' has no range of {} subordinate ids in '{}'", user, kIdCount, file))
        .with_hint(fmt::format(
            "as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {}", user));
}

void require_map_programs() {
    if (::access("/usr/bin/newuidmap", X_OK) != 0) {
        throw Error(
            "'newuidmap' is not installed; unprivileged users need it to map subordinate ids")
            .with_hint("as root: apt-get install uidmap");
    }
}

IdMaps plain_user_maps() {
    require_map_programs();
    const uid_t uid = ::geteuid();
    const std::string user = user_name(uid);
    const IdRange uids = require_range("/etc/subuid", user, uid);
    const IdRange gids = require_range("/etc/subgid", user, uid);
    return {
        fmt::format("0 {} 1 1 {} {}", uid, uids.start, kIdCount - 1),
        fmt::format("0 {} 1 1 {} {}", ::getegid(), gids.start, kIdCount - 1)};
}

int run_map_program(const char* program, pid_t target, const std::string& map) {
    std::vector<std::string> words{program, std::to_string(target)};
    for (std::string& word : split(map, ' ')) {
        words.push_back(std::move(word));
    }
    std::vector<char*> argv;
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::execv(argv[0], argv.data());
        ::_exit(127);
    }
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return 1;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

bool write_map(pid_t target, const char* name, std::string_view text) {
    const std::string path = fmt::format("/proc/{}/{}", target, name);
    const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    return fd.is_open() &&
           ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

/// Waits until the parent has left its user namespace, then writes its maps from outside.
[[noreturn]] void map_ids_of_parent(int go, pid_t parent, const IdMaps& maps, bool is_root) {
    char byte = 0;
    ssize_t count = 0;
    while ((count = ::read(go, &byte, 1)) < 0 && errno == EINTR) {
    }
    if (count != 1) {
        ::_exit(0); // the parent could not unshare
    }
    bool ok = false;
    if (is_root) {
        ok = write_map(parent, "uid_map", maps.uid) && write_map(parent, "gid_map", maps.gid);
    } else {
        ok = run_map_program("/usr/bin/newuidmap", parent, maps.uid) == 0 &&
             run_map_program("/usr/bin/newgidmap", parent, maps.gid) == 0;
    }
    ::_exit(ok ? 0 : 1);
}

/// Returns false when the kernel refuses a user namespace.
bool unshare_user_and_map(const IdMaps& maps, bool is_root) {
    std::array<int, 2> go{};
    if (::pipe2(go.data(), O_CLOEXEC) != 0) {
        throw SystemError("cannot create a pipe");
    }
    UniqueFd read_end(go[0]);
    UniqueFd write_end(go[1]);
    const pid_t parent = ::getpid();
    const pid_t mapper = ::fork();
    if (mapper < 0) {
        throw SystemError("cannot start the process that maps ids");
    }
    if (mapper == 0) {
        write_end.reset();
        map_ids_of_parent(read_end.get(), parent, maps, is_root);
    }
    const bool unshared = ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0;
    const int unshare_error = errno;
    // Root's mapper needs the parent to be readable in /proc.
    ::prctl(PR_SET_DUMPABLE, 1);
    if (unshared) {
        write_all(write_end.get(), as_byte_span("x"), "pipe");
    }
    write_end.reset();
    int status = 0;
    while (::waitpid(mapper, &status, 0) < 0 && errno == EINTR) {
    }
    if (!unshared) {
        if (is_root) {
            return false;
        }
        throw Error(fmt::format("cannot create a user namespace: {}", std::strerror(unshare_error)))
            .with_hint("set the sysctl kernel.unprivileged_userns_clone to 1; in a chroot only "
                       "root can bake");
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        throw Error("cannot map subordinate ids into the user namespace")
            .with_hint("check the ranges in /etc/subuid and /etc/subgid, and that newuidmap and "
                       "newgidmap are setuid or have file capabilities");
    }
    return true;
}

void become_namespace_root() {
    if (::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0) {
        throw SystemError("cannot become root of the user namespace");
    }
}

void mount_or_throw(const char* source, const char* target, const char* type, unsigned long flags) {
    if (::mount(source, target, type, flags, nullptr) != 0) {
        throw SystemError(fmt::format("cannot mount '{}' at '{}'", source, target));
    }
}

/// In a plain chroot "/" is a directory somewhere below a mount: the mounts under it cannot be made
/// private as a whole, and pivot_root(2) refuses to leave it. Goes on in a copy of all that is
/// below
/// "/", whose root is a mount. The copy hangs from /proc, the one place that is a mount wherever
/// kiln can run, made private first so that nothing of this shows outside.
void move_to_mounted_root() {
    constexpr const char* kBase = "/proc";
    if (::mount("none", kBase, nullptr, MS_PRIVATE, nullptr) != 0) {
        throw Error("'/proc' is not mounted in this chroot")
            .with_hint("run 'mount -t proc proc /proc'");
    }
    const std::string copy = std::string(kBase) + "/root";
    mount_or_throw("tmpfs", kBase, "tmpfs", MS_NOSUID | MS_NODEV);
    fs::create_directory(copy);
    mount_or_throw("/", copy.c_str(), nullptr, MS_BIND | MS_REC);
    mount_or_throw("none", copy.c_str(), nullptr, MS_REC | MS_PRIVATE);
    const fs::path here = fs::current_path();
    if (::chroot(copy.c_str()) != 0 || ::chdir(here.c_str()) != 0) {
        throw SystemError("cannot move to the copy of the mounts");
    }
    if (::umount2(kBase, MNT_DETACH) != 0) { // the copy of the tmpfs itself
        throw SystemError("cannot take '/proc' back");
    }
}

void make_mounts_private() {
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0) {
        return;
    }
    if (errno != EINVAL) {
        throw SystemError("cannot make the mounts of the build namespace private");
    }
    move_to_mounted_root();
}

/// Tries it in a child: a new mount as root of a mount namespace, as sandboxes have it, then a user
/// namespace.
bool can_make_user_namespace_in_own_root() {
    const pid_t pid = ::fork();
    if (pid < 0) {
        return false;
    }
    if (pid == 0) {
        const bool mounted =
            ::unshare(CLONE_NEWNS) == 0 && ::mount("tmpfs", "/proc", "tmpfs", 0, nullptr) == 0;
        const UniqueFd root(::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
        const bool can = mounted && make_root_of_namespace(root.get()) == 0 &&
                         ::umount2(".", MNT_DETACH) == 0 &&
                         ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0;
        ::_exit(can ? 0 : 1);
    }
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

} // namespace

int make_root_of_namespace(int directory) {
    // From a directory outside of the root ".." leads past every chroot, up to where it leads no
    // further: the namespace's own root.
    constexpr int kDeepest = 4096;
    const UniqueFd outside(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (::fchdir(directory) != 0 || ::chroot(".") != 0 || ::fchdir(outside.get()) != 0) {
        return errno;
    }
    struct stat here{};
    struct stat above{};
    for (int i = 0; i < kDeepest; ++i) {
        if (::stat(".", &here) != 0 || ::stat("..", &above) != 0) {
            return errno;
        }
        if (here.st_dev == above.st_dev && here.st_ino == above.st_ino) {
            break;
        }
        if (::chdir("..") != 0) {
            return errno;
        }
    }
    // From a chroot on, what is above it was never made private: taking the old root away would
    // take it away from everybody who shares it.
    if (::chroot(".") != 0 || ::mount("none", ".", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::fchdir(directory) != 0 || ::syscall(SYS_pivot_root, ".", ".") != 0) {
        return errno;
    }
    return 0;
}

std::optional<IdRange>
find_id_range(std::string_view text, std::string_view user, std::uint32_t uid) {
    const auto ranges = ranges_of(text, user, uid);
    return ranges.empty() ? std::nullopt : std::optional(ranges.front());
}

std::optional<IdRange> find_root_range(std::string_view subuid, std::string_view subgid) {
    for (const IdRange& uids : ranges_of(subuid, "root", 0)) {
        for (const IdRange& gids : ranges_of(subgid, "root", 0)) {
            const bool is_inside =
                gids.start <= uids.start &&
                std::uint64_t{uids.start} + kIdCount <= std::uint64_t{gids.start} + gids.count;
            if (is_inside && uids.start >= kIdCount) {
                return uids;
            }
        }
    }
    return std::nullopt;
}

std::uint32_t free_range_start(std::string_view subuid, std::string_view subgid) {
    std::uint64_t free = 100'000; // login.defs(5), SUB_UID_MIN
    for (const std::string_view text : {subuid, subgid}) {
        for (const std::string& line : split_lines(text)) {
            const auto fields = split(line, ':');
            const auto start = fields.size() == 3 ? parse_unsigned(fields[1]) : std::nullopt;
            const auto count = fields.size() == 3 ? parse_unsigned(fields[2]) : std::nullopt;
            if (start && count && *start < UINT32_MAX && *count < UINT32_MAX) {
                free = std::max(free, *start + *count);
            }
        }
    }
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(free, UINT32_MAX - kIdCount));
}

const BuildNamespace& build_namespace() {
    return the_namespace;
}

const BuildNamespace& enter_build_namespace() {
    static bool entered = false;
    if (entered) {
        return the_namespace;
    }
    make_room_for_script_limits();
    const bool is_root = ::geteuid() == 0;
    BuildNamespace made;
    if (is_root && owns_all_ids()) {
        made.tree_ids.offset = require_root_range();
    }
    if (unshare_user_and_map(is_root ? same_ids() : plain_user_maps(), is_root)) {
        become_namespace_root();
        made.has_sandbox_user_namespace = true;
    } else if (::unshare(CLONE_NEWNS) != 0) {
        throw SystemError("cannot create a mount namespace");
    }
    // REPRO: what is made in a tree without a stated mode does not depend on the caller's mask.
    ::umask(022);
    make_mounts_private();
    if (!made.has_sandbox_user_namespace) {
        // The kernel refuses it to a process in a chroot, which sandboxes are not.
        made.has_sandbox_user_namespace = can_make_user_namespace_in_own_root();
        if (!made.has_sandbox_user_namespace) {
            made.tree_ids.offset = 0;
        }
    }
    made.sandbox_maps = made.tree_ids.offset == 0 ? same_ids() : shifted_ids(made.tree_ids);
    made.is_entered = true;
    the_namespace = made;
    entered = true;
    return the_namespace;
}

} // namespace kiln
