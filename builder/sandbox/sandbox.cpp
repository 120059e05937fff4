// SPDX-License-Identifier: MIT
#include "sandbox/sandbox.hpp"

#include "base/io/file.hpp"
#include "base/process/resource_limits.hpp"
#include "sandbox/namespaces.hpp"
#include "sandbox/sandbox_filter.hpp"
#include "sandbox/sandbox_init_image.hpp"
#include "sandbox/sandbox_mounts.hpp"
#include "sandbox/sandbox_watch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <string>
#include <vector>

namespace kiln {

namespace {

/// What is left of root's powers: over files, ids and processes of the tree.
/// REPRO: devices cannot be made, neither with a user namespace nor without one.
constexpr std::array kKeptCapabilities{
    CAP_CHOWN,
    CAP_DAC_OVERRIDE,
    CAP_FOWNER,
    CAP_FSETID,
    CAP_KILL,
    CAP_SETGID,
    CAP_SETUID,
    CAP_SETPCAP,
    CAP_SETFCAP,
    CAP_NET_BIND_SERVICE,
    CAP_SYS_CHROOT};

void send_byte(int fd) {
    static_cast<void>(!::write(fd, "x", 1));
}

void block_sigterm(int how) {
    sigset_t set{};
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGTERM);
    ::sigprocmask(how, &set, nullptr);
}

bool wait_for_byte(int fd) {
    char byte = 0;
    ssize_t count = 0;
    do {
        count = ::read(fd, &byte, 1);
    } while (count < 0 && errno == EINTR);
    return count == 1;
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

pid_t first_process = 0;

extern "C" void end_first_process(int) {
    ::kill(first_process, SIGKILL);
}

/// Ends like its child, and not before it: when process 1 has ended there is none left of its
/// namespace, and the tree is nobody's. Asked to end, it ends the child first. Nothing that the
/// child has as output may stay open here.
[[noreturn]] void wait_and_exit(pid_t pid) {
    ::close_range(0, ~0U, 0);
    first_process = pid;
    struct sigaction action{};
    action.sa_handler = end_first_process;
    ::sigaction(SIGTERM, &action, nullptr);
    block_sigterm(SIG_UNBLOCK);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            ::_exit(127);
        }
    }
    ::_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

/// Capabilities can neither be used nor got back, by no program that is started.
int keep_few_capabilities() {
    std::array<__user_cap_data_struct, 2> sets{};
    constexpr int kNumbers = 64; // also those of kernels to come
    for (int capability = 0; capability < kNumbers; ++capability) {
        const auto bit = 1U << (static_cast<unsigned>(capability) % 32U);
        const auto kept = std::find(kKeptCapabilities.begin(), kKeptCapabilities.end(), capability);
        if (kept == kKeptCapabilities.end()) {
            ::prctl(PR_CAPBSET_DROP, capability); // EINVAL: the kernel does not know it
        } else {
            auto& set = sets.at(static_cast<std::size_t>(capability) / 32U);
            set.effective |= bit;
            set.permitted |= bit;
        }
    }
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    return ::syscall(SYS_capset, &header, sets.data()) == 0 ? 0 : errno;
}

} // namespace

/// Everything that the child needs between fork and exec, so that it need not allocate there.
struct Sandbox::Prepared {
    BuildNamespace build = build_namespace();
    SandboxLimits limits;
    SandboxMounts mounts;
    std::vector<sock_filter> filter = sandbox_filter();
    UniqueFd proc = open_file("/proc", O_PATH | O_DIRECTORY);

    explicit Prepared(const SandboxOptions& options)
        : limits(with_defaults(options.limits)),
          mounts(options, build.tree_ids, limits.memory / 2) {}

    /// In the forked child. What returns is process 1 of the sandbox, or its failure.
    [[nodiscard]] int set_up();

  private:
    [[nodiscard]] int become_first_process(int ready, int go);
    [[nodiscard]] int enter_user_namespace(int ready, int go) const;
    [[nodiscard]] int restrict() const;
    bool write_maps(pid_t pid) const;
};

/// Two processes are made. This one leaves for new namespaces, in which the next is process 1, and
/// stays behind: it maps the ids of the other's user namespace from outside, and waits.
int Sandbox::Prepared::set_up() {
    const std::uint32_t owner = build.tree_ids.offset;
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        // Scripts open them once more, as /dev/stdout.
        static_cast<void>(::fchown(fd, owner, owner));
    }
    constexpr int kNamespaces =
        CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET;
    std::array<int, 2> ready{};
    std::array<int, 2> go{};
    if (::pipe2(ready.data(), O_CLOEXEC) != 0 || ::pipe2(go.data(), O_CLOEXEC) != 0 ||
        ::unshare(kNamespaces) != 0) {
        return errno;
    }
    // REPRO: scripts that ask for the host's name all get this one.
    constexpr std::string_view kHostName = "kiln";
    ::sethostname(kHostName.data(), kHostName.size());
    if (const int error = raise_loopback(); error != 0) {
        return error;
    }
    block_sigterm(SIG_BLOCK); // until it can be passed on
    const pid_t pid = ::fork();
    if (pid < 0) {
        return errno;
    }
    if (pid == 0) {
        block_sigterm(SIG_UNBLOCK);
        ::close(ready[0]);
        ::close(go[1]);
        return become_first_process(ready[1], go[0]);
    }
    ::close(ready[1]);
    ::close(go[0]);
    if (wait_for_byte(ready[0]) && (!build.has_sandbox_user_namespace || write_maps(pid))) {
        send_byte(go[1]);
    }
    wait_and_exit(pid);
}

bool Sandbox::Prepared::write_maps(pid_t pid) const {
    for (const auto& [name, map] :
         {std::pair{"uid_map", &build.sandbox_maps.uid},
          std::pair{"gid_map", &build.sandbox_maps.gid}}) {
        std::array<char, 32> path{};
        *fmt::format_to_n(path.data(), path.size() - 1, "{}/{}", pid, name).out = '\0';
        const UniqueFd fd(::openat(proc.get(), path.data(), O_WRONLY | O_CLOEXEC));
        if (!fd.is_open() ||
            ::write(fd.get(), map->data(), map->size()) != static_cast<ssize_t>(map->size())) {
            return false;
        }
    }
    return true;
}

int Sandbox::Prepared::become_first_process(int ready, int go) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::setsid(); // the terminal of whoever called kiln is not this session's
    if (const int error = mounts.set_up(); error != 0) {
        return error;
    }
    if (build.has_sandbox_user_namespace) {
        if (const int error = enter_user_namespace(ready, go); error != 0) {
            return error;
        }
    } else {
        // Who waits for this process may have died before this one could ask to die with it.
        send_byte(ready);
        if (!wait_for_byte(go)) {
            return EPERM;
        }
    }
    // Once more: the kernel forgets it at every change of ids.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    return restrict();
}

/// The mount namespace that comes with the user namespace belongs to it, but its mounts came from
/// one with more rights: they can neither be taken away nor made writable (mount_namespaces(7)).
int Sandbox::Prepared::enter_user_namespace(int ready, int go) const {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
        return errno;
    }
    ::prctl(PR_SET_DUMPABLE, 1); // or its maps in /proc belong to somebody else
    send_byte(ready);
    if (!wait_for_byte(go)) {
        return EPERM;
    }
    if (::setgroups(0, nullptr) != 0 || ::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0) {
        return errno;
    }
    return 0;
}

int Sandbox::Prepared::restrict() const {
    set_script_limits(limits.processes, limits.memory);
    ::personality(PER_LINUX); // REPRO: `setarch i386 kiln` would show in uname(2)
    ::umask(022);
    ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);
    const sock_fprog program{
        static_cast<unsigned short>(filter.size()), const_cast<sock_filter*>(filter.data())};
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        return errno;
    }
    return keep_few_capabilities();
}

Sandbox::Sandbox(SandboxOptions options)
    : options_(std::move(options)), prepared_(std::make_unique<Prepared>(options_)) {}

Sandbox::~Sandbox() = default;

ProcessResult Sandbox::run(const Command& command) {
    Command inside = command;
    Environment env = clean_environment();
    env["DEBIAN_FRONTEND"] = "noninteractive";
    env["DEBCONF_NONINTERACTIVE_SEEN"] = "true";
    env["SOURCE_DATE_EPOCH"] = std::to_string(options_.epoch);
    env["FORCE_SOURCE_DATE"] = "1"; // TeX's programs go by the epoch then
    // REPRO: scripts do things in the order of their hashes; TeX's fmtutil makes formats in it.
    env["PERL_HASH_SEED"] = "0";
    env["PYTHONHASHSEED"] = "0";
    // REPRO: commits that scripts make have the same time, and so the same names.
    for (const char* name : {"GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"}) {
        env[name] = fmt::format("@{} +0000", options_.epoch);
    }
    for (const Environment& more : {options_.env, command.env}) {
        for (const auto& [name, value] : more) {
            env[name] = value;
        }
    }
    inside.env = std::move(env);
    Prepared& prepared = *prepared_;
    prepared.mounts.require_places();
    if (inside.timeout.count() == 0) {
        inside.timeout = prepared.limits.time;
    }
    inside.output_limit = prepared.limits.output;
    inside.watch = watch_resources(prepared.limits, options_.root);
    return run_child(
        inside,
        {.setup = [&prepared] { return prepared.set_up(); },
         .launcher = sandbox_init_descriptor()});
}

} // namespace kiln
