// SPDX-License-Identifier: MIT
#include "base/sandbox.hpp"

#include "base/file.hpp"
#include "base/handle.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <string>
#include <vector>

namespace kiln {

namespace {

using SeccompFilter = Handle<void, seccomp_release>;

/// fsync and its kin succeed without doing anything: the tree is worthless after a crash anyway,
/// and dpkg would otherwise wait for the disk thousands of times.
std::vector<sock_filter> no_sync_program() {
    const SeccompFilter filter(seccomp_init(SCMP_ACT_ALLOW));
    KILN_CHECK(filter != nullptr);
    for (const int call :
         {SCMP_SYS(fsync),
          SCMP_SYS(fdatasync),
          SCMP_SYS(sync),
          SCMP_SYS(syncfs),
          SCMP_SYS(sync_file_range),
          SCMP_SYS(msync)}) {
        KILN_CHECK(seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(0), call, 0) == 0);
    }
    const UniqueFd fd(::memfd_create("seccomp", MFD_CLOEXEC));
    if (!fd.is_open() || seccomp_export_bpf(filter.get(), fd.get()) != 0) {
        throw SystemError("cannot make the system call filter");
    }
    const auto size = static_cast<std::size_t>(::lseek(fd.get(), 0, SEEK_END));
    std::vector<sock_filter> program(size / sizeof(sock_filter));
    read_exactly_at(fd.get(), std::as_writable_bytes(std::span(program)), 0, "seccomp");
    return program;
}

constexpr std::array<const char*, 6> kDevices{"null", "zero", "full", "random", "urandom", "tty"};

/// Powers over the whole machine that no package script needs. Matters where the sandbox has no
/// user namespace of its own.
/// REPRO: a user namespace makes no devices whatever its capabilities; so does the sandbox without.
constexpr std::array<int, 10> kDroppedCapabilities{
    CAP_MKNOD,
    CAP_SYS_MODULE,
    CAP_SYS_RAWIO,
    CAP_SYS_TIME,
    CAP_SYS_BOOT,
    CAP_SYS_PACCT,
    CAP_MAC_ADMIN,
    CAP_MAC_OVERRIDE,
    CAP_SYSLOG,
    CAP_WAKE_ALARM};

} // namespace

/// All that the child needs between fork and exec, so that it need not allocate there.
struct Sandbox::Prepared {
    struct Mount {
        std::string source;
        std::string target;
        std::string type;
        unsigned long flags = 0;
        std::string data;
    };

    std::string root;
    std::vector<std::string> directories;
    std::vector<Mount> mounts;
    std::vector<std::string> empty_files;                   ///< targets of bind mounts
    std::vector<std::pair<std::string, std::string>> links; ///< target, path
    std::vector<sock_filter> filter = no_sync_program();

    struct Bind {
        std::vector<std::string> directories; ///< to make, the outermost first
        std::string source;
        std::string target;
        bool read_only = true;
    };

    std::vector<Bind> binds;
    bool read_only_root = false;

    explicit Prepared(const SandboxOptions& options)
        : root(fs::canonical(options.root).string()), read_only_root(options.read_only_root) {
        for (const SandboxBind& bind : options.binds) {
            add_bind(bind);
        }
        const auto in_root = [&](std::string_view path) { return root + std::string(path); };
        for (const char* path : {"/proc", "/dev", "/run", "/tmp"}) {
            directories.push_back(in_root(path));
        }
        mounts.push_back({"proc", in_root("/proc"), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, {}});
        mounts.push_back({"tmpfs", in_root("/dev"), "tmpfs", MS_NOSUID, "mode=755"});
        mounts.push_back({"tmpfs", in_root("/run"), "tmpfs", MS_NOSUID | MS_NODEV, "mode=755"});
        mounts.push_back({"tmpfs", in_root("/tmp"), "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"});
        links = {
            {"/proc/self/fd", in_root("/dev/fd")},
            {"/proc/self/fd/0", in_root("/dev/stdin")},
            {"/proc/self/fd/1", in_root("/dev/stdout")},
            {"/proc/self/fd/2", in_root("/dev/stderr")},
            {"pts/ptmx", in_root("/dev/ptmx")}};
        for (const char* device : kDevices) {
            empty_files.push_back(in_root("/dev/") + device);
        }
    }

    void add_bind(const SandboxBind& bind) {
        KILN_CHECK(bind.target.starts_with("/run/") || bind.target.starts_with("/tmp/"));
        Bind out{{}, fs::canonical(bind.source).string(), root + bind.target, bind.read_only};
        for (std::size_t at = bind.target.find('/', 1); at != std::string::npos;
             at = bind.target.find('/', at + 1)) {
            out.directories.push_back(root + bind.target.substr(0, at));
        }
        out.directories.push_back(out.target);
        binds.push_back(std::move(out));
    }

    [[nodiscard]] int set_up_binds() const {
        for (const Bind& bind : binds) {
            for (const std::string& path : bind.directories) {
                if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
                    return errno;
                }
            }
            if (::mount(bind.source.c_str(), bind.target.c_str(), nullptr, MS_BIND, nullptr) != 0 ||
                (bind.read_only && make_read_only(bind.target) != 0)) {
                return errno;
            }
        }
        return 0;
    }

    /// Of this mount alone; what is mounted below it stays as it is.
    static int make_read_only(const std::string& path) {
        return ::mount(nullptr, path.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr);
    }

    [[nodiscard]] int set_up_root() const {
        for (const std::string& path : directories) {
            if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
                return errno;
            }
        }
        for (const Mount& m : mounts) {
            if (::mount(
                    m.source.c_str(), m.target.c_str(), m.type.c_str(), m.flags, m.data.c_str()) !=
                0) {
                return errno;
            }
        }
        if (const int error = set_up_binds(); error != 0) {
            return error;
        }
        if (read_only_root && make_read_only(root) != 0) {
            return errno;
        }
        return set_up_dev();
    }

    [[nodiscard]] int set_up_dev() const {
        for (std::size_t i = 0; i < kDevices.size(); ++i) {
            const int fd = ::open(empty_files[i].c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
            if (fd < 0) {
                return errno;
            }
            ::close(fd);
            std::array<char, 32> source{"/dev/"};
            std::strncat(source.data(), kDevices.at(i), source.size() - 8);
            if (::mount(source.data(), empty_files[i].c_str(), nullptr, MS_BIND, nullptr) != 0) {
                return errno;
            }
        }
        for (const auto& [target, path] : links) {
            if (::symlink(target.c_str(), path.c_str()) != 0) {
                return errno;
            }
        }
        return 0;
    }

    [[nodiscard]] int enter_root() const {
        if (::chdir(root.c_str()) != 0 || ::syscall(SYS_pivot_root, ".", ".") != 0 ||
            ::umount2(".", MNT_DETACH) != 0 || ::chdir("/") != 0) {
            return errno;
        }
        ::mkdir("/dev/shm", 01777);
        ::mkdir("/dev/pts", 0755);
        ::mkdir("/run/lock", 01777);
        ::chmod("/dev/shm", 01777);
        ::chmod("/run/lock", 01777);
        ::mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666");
        return 0;
    }

    [[nodiscard]] int restrict() const {
        constexpr rlim_t kFiles = 1024;
        const rlimit files{kFiles, kFiles};
        const rlimit no_core{0, 0};
        ::setrlimit(RLIMIT_NOFILE, &files);
        ::setrlimit(RLIMIT_CORE, &no_core);
        ::umask(022);
        for (const int capability : kDroppedCapabilities) {
            ::prctl(PR_CAPBSET_DROP, capability);
        }
        const sock_fprog program{
            static_cast<unsigned short>(filter.size()), const_cast<sock_filter*>(filter.data())};
        return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : errno;
    }
};

namespace {

[[noreturn]] void exit_like(int status) {
    ::_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

/// Waits for `pid`, reaping everything else on the way, and ends with its status.
[[noreturn]] void wait_and_exit(pid_t pid) {
    // An open descriptor here would keep the output pipe from ever ending.
    ::close_range(0, ~0U, 0);
    int status = 0;
    while (true) {
        const pid_t ended = ::waitpid(-1, &status, 0);
        if (ended == pid) {
            exit_like(status);
        }
        if (ended < 0 && errno != EINTR) {
            ::_exit(127);
        }
    }
}

/// Where the process that stays behind has its root.
enum class WaiterRoot { same, other };

/// Forks; the parent stays behind as waiter, the child goes on. The death signal is not inherited.
int split_off(WaiterRoot waiter_root) {
    const pid_t pid = ::fork();
    if (pid < 0) {
        return errno;
    }
    if (pid > 0) {
        if (waiter_root == WaiterRoot::other && ::chroot("/proc") != 0) {
            ::_exit(127);
        }
        wait_and_exit(pid);
    }
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    return 0;
}

/// A new network namespace has the loopback interface, but down; scripts look for an interface
/// that is up (postfix's newaliases) or talk to a server that they start.
int raise_loopback() {
    const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP;
    return ::ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0 ? 0 : errno;
}

} // namespace

Sandbox::Sandbox(SandboxOptions options)
    : options_(std::move(options)), prepared_(std::make_unique<Prepared>(options_)) {}

Sandbox::~Sandbox() = default;

ProcessResult Sandbox::run(const Command& command) {
    Command inside = command;
    Environment env = clean_environment();
    env["DEBIAN_FRONTEND"] = "noninteractive";
    env["DEBCONF_NONINTERACTIVE_SEEN"] = "true";
    env["SOURCE_DATE_EPOCH"] = std::to_string(options_.epoch);
    for (const Environment& more : {options_.env, command.env}) {
        for (const auto& [name, value] : more) {
            env[name] = value;
        }
    }
    inside.env = std::move(env);
    const Prepared& prepared = *prepared_;
    return run_child(inside, [&prepared]() -> int {
        constexpr int kNamespaces =
            CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET;
        if (::unshare(kNamespaces) != 0) {
            return errno;
        }
        // The child is process 1 of its namespace.
        if (const int error = split_off(WaiterRoot::same); error != 0) {
            return error;
        }
        // REPRO: scripts that ask for the host's name all get this one.
        constexpr std::string_view kHostName = "kiln";
        ::sethostname(kHostName.data(), kHostName.size());
        if (const int error = raise_loopback(); error != 0) {
            return error;
        }
        if (const int error = prepared.set_up_root(); error != 0) {
            return error;
        }
        if (const int error = prepared.enter_root(); error != 0) {
            return error;
        }
        // Process 1 reaps, the child is the program. That their roots differ is how ischroot(1) and
        // systemd know that no system runs here; libc6's postinst would else restart an init.
        if (const int error = split_off(WaiterRoot::other); error != 0) {
            return error;
        }
        return prepared.restrict();
    });
}

} // namespace kiln
