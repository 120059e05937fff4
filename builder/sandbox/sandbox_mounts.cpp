// SPDX-License-Identifier: MIT
#include "sandbox/sandbox_mounts.hpp"

#include "base/error.hpp"
#include "base/io/file.hpp"
#include "sandbox/namespaces.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace kiln {

namespace {

constexpr std::array<const char*, 6> kDevices{"null", "zero", "full", "random", "urandom", "tty"};

constexpr std::pair<const char*, const char*> kLinks[] = {
    {"/proc/self/fd", "/dev/fd"},
    {"/proc/self/fd/0", "/dev/stdin"},
    {"/proc/self/fd/1", "/dev/stdout"},
    {"/proc/self/fd/2", "/dev/stderr"},
    {"pts/ptmx", "/dev/ptmx"}};

/// Of /proc, what tells of the host or changes it, as container engines hide it.
constexpr std::array kReadOnly{
    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
constexpr std::array kHiddenFiles{
    "/proc/kcore",
    "/proc/keys",
    "/proc/key-users",
    "/proc/kmsg",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/sched_debug",
    "/proc/kallsyms",
    "/proc/vmallocinfo",
    "/proc/kpagecount",
    "/proc/kpageflags",
    "/proc/kpagecgroup",
    "/proc/mtrr"};
constexpr std::array kHiddenFolders{
    "/proc/acpi", "/proc/asound", "/proc/driver", "/proc/scsi", "/proc/pressure"};

/// Adds attributes to a mount; those that it has stay, also locked ones.
int set_attributes(const char* path, std::uint64_t attributes) {
    mount_attr attr{};
    attr.attr_set = attributes;
    return ::mount_setattr(AT_FDCWD, path, 0, &attr, sizeof attr) == 0 ? 0 : errno;
}

int bind(const char* source, const char* target) {
    return ::mount(source, target, nullptr, MS_BIND, nullptr) == 0 ? 0 : errno;
}

int bind_descriptor(int descriptor, const char* target) {
    std::array<char, 32> path{};
    *fmt::format_to_n(path.data(), path.size() - 1, "/proc/self/fd/{}", descriptor).out = '\0';
    return bind(path.data(), target);
}

bool is_directory_itself(const char* path) {
    struct stat info{};
    return ::lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/// What this kernel does not have needs no hiding.
int unless_missing(int error) {
    return error == ENOENT ? 0 : error;
}

int restrict_proc() {
    for (const char* path : kReadOnly) {
        int error = bind(path, path);
        if (error == 0) {
            error = set_attributes(
                path, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
        }
        if (unless_missing(error) != 0) {
            return error;
        }
    }
    for (const char* path : kHiddenFiles) {
        if (const int error = unless_missing(bind("/dev/null", path)); error != 0) {
            return error;
        }
    }
    for (const char* path : kHiddenFolders) {
        if (::mount("tmpfs", path, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV, "size=0,mode=555") !=
                0 &&
            errno != ENOENT) {
            return errno;
        }
    }
    return 0;
}

/// Programs that only root of the network namespace may let bind low ports; scripts that start a
/// server to talk to it are not.
void allow_low_ports() {
    const UniqueFd fd(
        ::open("/proc/sys/net/ipv4/ip_unprivileged_port_start", O_WRONLY | O_CLOEXEC));
    if (fd.is_open()) {
        static_cast<void>(!::write(fd.get(), "0", 1));
    }
}

} // namespace

SandboxMounts::SandboxMounts(
    const SandboxOptions& options, const TreeIds& ids, std::uint64_t tmpfs_bytes)
    : root_(options.root.string()), read_only_root_(options.read_only_root) {
    const auto add_tmpfs = [&](const char* path, unsigned long flags, const char* mode) {
        const std::uint32_t owner = ids.to_host(0);
        mounts_.push_back(
            {path,
             "tmpfs",
             flags,
             fmt::format("mode={},uid={},gid={},size={}", mode, owner, owner, tmpfs_bytes)});
    };
    mounts_.push_back({"/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, {}});
    add_tmpfs("/dev", MS_NOSUID, "755");
    add_tmpfs("/run", MS_NOSUID | MS_NODEV, "755");
    add_tmpfs("/tmp", MS_NOSUID | MS_NODEV, "1777");
    for (const SandboxBind& bind : options.binds) {
        add_bind(bind);
    }
    for (const char* device : kDevices) {
        const std::string path = fmt::format("/dev/{}", device);
        devices_.push_back({.source = path, .directories = {}, .target = path});
    }
}

void SandboxMounts::require_places() const {
    for (const Mount& m : mounts_) {
        const std::string path = root_ + m.target;
        struct stat info{};
        if (::lstat(path.c_str(), &info) == 0 && !S_ISDIR(info.st_mode)) {
            throw Error(fmt::format("'{}' of the tree is not a directory", m.target))
                .with_hint("kiln mounts a file system there while programs of the tree run; remove "
                           "the package or stage that replaces the directory");
        }
    }
}

void SandboxMounts::add_bind(const SandboxBind& bind) {
    KILN_CHECK(bind.target.starts_with("/run/") || bind.target.starts_with("/tmp/"));
    Bind out{
        .source = fs::canonical(bind.source).string(),
        .directories = {},
        .target = bind.target,
        .read_only = bind.read_only};
    for (std::size_t at = bind.target.find('/', 1); at != std::string::npos;
         at = bind.target.find('/', at + 1)) {
        out.directories.push_back(bind.target.substr(0, at));
    }
    out.directories.push_back(out.target);
    binds_.push_back(std::move(out));
}

/// After make_root_of_namespace() the tree is "/", so that links in it lead nowhere else, and the
/// host is still there, mounted on top of it, for what is bound by descriptor; "." finds it.
int SandboxMounts::set_up() {
    if (const int error = open_sources(); error != 0) {
        return error;
    }
    const UniqueFd tree(::open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!tree.is_open()) {
        return errno;
    }
    if (const int error = make_root_of_namespace(tree.get()); error != 0) {
        return error;
    }
    for (const auto step :
         {&SandboxMounts::mount_file_systems,
          &SandboxMounts::mount_binds,
          &SandboxMounts::make_devices}) {
        if (const int error = (this->*step)(); error != 0) {
            return error;
        }
    }
    if (::umount2(".", MNT_DETACH) != 0 || ::chdir("/") != 0) {
        return errno;
    }
    allow_low_ports();
    if (const int error = restrict_proc(); error != 0) {
        return error;
    }
    const std::uint64_t read_only = read_only_root_ ? MOUNT_ATTR_RDONLY : 0U;
    return set_attributes("/", MOUNT_ATTR_NODEV | read_only);
}

/// In the child, since only mounts of its own namespace can be bound.
int SandboxMounts::open_sources() {
    for (std::vector<Bind>* list : {&binds_, &devices_}) {
        for (Bind& b : *list) {
            b.descriptor = ::open(b.source.c_str(), O_PATH | O_CLOEXEC);
            if (b.descriptor < 0) {
                return errno;
            }
        }
    }
    return 0;
}

/// A link there could lead to one place for the mount and to another for what is done with the
/// mount afterwards: a later mount covers a part of its way, ".." at the root leads to the host as
/// long as that is on top. With directories every path below is one of these mounts.
int SandboxMounts::mount_file_systems() const {
    for (const Mount& m : mounts_) {
        if (::mkdir(m.target, 0755) != 0 && errno != EEXIST) {
            return errno;
        }
        if (!is_directory_itself(m.target)) {
            return ENOTDIR;
        }
        if (::mount(m.type.c_str(), m.target, m.type.c_str(), m.flags, m.data.c_str()) != 0) {
            return errno;
        }
    }
    return 0;
}

int SandboxMounts::mount_binds() const {
    for (const Bind& b : binds_) {
        for (const std::string& path : b.directories) {
            if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
                return errno;
            }
        }
        int error = bind_descriptor(b.descriptor, b.target.c_str());
        if (error == 0) {
            error = set_attributes(
                b.target.c_str(),
                MOUNT_ATTR_NODEV | (b.read_only ? MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID : 0U));
        }
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

int SandboxMounts::make_devices() const {
    for (const Bind& device : devices_) {
        const char* path = device.target.c_str();
        const UniqueFd fd(::open(path, O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0666));
        if (!fd.is_open()) {
            return errno;
        }
        if (const int error = bind_descriptor(device.descriptor, path); error != 0) {
            return error;
        }
    }
    for (const auto& [target, path] : kLinks) {
        if (::symlink(target, path) != 0) {
            return errno;
        }
    }
    ::mkdir("/dev/shm", 01777);
    ::mkdir("/dev/pts", 0755);
    ::mkdir("/run/lock", 01777);
    ::chmod("/dev/shm", 01777); // whatever the umask
    ::chmod("/run/lock", 01777);
    ::mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666");
    return 0;
}

} // namespace kiln
