// SPDX-License-Identifier: MIT
//
// A hostile script, as a program: runs inside of a sandbox and tries to get out of it, one way
// after the other. Prints "held WAY" or "OPEN WAY (what happened)" for each. Static, so that it
// runs in an empty tree.
//
//     escape_probe VICTIM PORT    (a file of the host, a TCP port on which the host listens)
#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

namespace {

std::string victim;
std::uint16_t host_port = 0;
int opened = 0;
int tried = 0;

void report(const char* way, bool held, const std::string& what = {}) {
    ++tried;
    opened += held ? 0 : 1;
    if (held) {
        std::printf("held %s\n", way);
    } else {
        std::printf("OPEN %s (%s)\n", way, what.c_str());
    }
    std::fflush(stdout);
}

/// A call that must fail.
void refused(const char* way, long result) {
    report(way, result < 0, "result " + std::to_string(result));
}

std::string read_all(const char* path, std::size_t most = 65536) {
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    std::string out;
    std::array<char, 4096> buffer{};
    ssize_t count = 0;
    while (fd >= 0 && out.size() < most && (count = ::read(fd, buffer.data(), buffer.size())) > 0) {
        out.append(buffer.data(), static_cast<std::size_t>(count));
    }
    ::close(fd);
    return out;
}

bool can_write(const char* path, const char* text) {
    const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
    const bool written = fd >= 0 && ::write(fd, text, std::strlen(text)) > 0;
    ::close(fd);
    return written;
}

bool is_victim(const std::string& path) {
    return read_all(path.c_str()).find("victim of the host") != std::string::npos;
}

void unwritable(const char* way, const char* path, const char* text) {
    report(way, !can_write(path, text), std::string("wrote ") + path);
}

void mounts() {
    refused("mount tmpfs", ::mount("tmpfs", "/tmp", "tmpfs", 0, nullptr));
    refused("mount proc", ::mount("proc", "/tmp", "proc", 0, nullptr));
    refused("mount sysfs", ::mount("sysfs", "/tmp", "sysfs", 0, nullptr));
    refused("bind mount", ::mount("/", "/tmp", nullptr, MS_BIND, nullptr));
    refused(
        "remount a bound folder writable",
        ::mount(nullptr, "/run/bound", nullptr, MS_REMOUNT | MS_BIND, nullptr));
    refused("take a bound folder away", ::umount2("/run/bound", MNT_DETACH));
    refused("take the cover of /proc/sys away", ::umount2("/proc/sys", MNT_DETACH));
    refused("take /proc away", ::umount2("/proc", MNT_DETACH));
    refused(
        "remount /proc/sys writable",
        ::mount(nullptr, "/proc/sys", nullptr, MS_REMOUNT | MS_BIND, nullptr));
    mount_attr attr{};
    attr.attr_clr = MOUNT_ATTR_RDONLY;
    refused(
        "mount_setattr without read-only",
        ::syscall(SYS_mount_setattr, AT_FDCWD, "/run/bound", 0, &attr, sizeof attr));
    refused("pivot_root", ::syscall(SYS_pivot_root, ".", "."));
    refused("fsopen", ::syscall(SYS_fsopen, "tmpfs", 0));
    refused("open_tree", ::syscall(SYS_open_tree, AT_FDCWD, "/", 1));
    refused("move_mount", ::syscall(SYS_move_mount, AT_FDCWD, "/tmp", AT_FDCWD, "/run", 0));
    refused("swapon", ::swapon("/tmp/swap", 0));
    unwritable("write to a read-only folder", "/run/bound/file", "changed");
    refused("chmod in a read-only folder", ::chmod("/run/bound/file", 0777));
    refused("remove from a read-only folder", ::unlink("/run/bound/file"));
}

void proc_and_sys() {
    unwritable("core_pattern", "/proc/sys/kernel/core_pattern", "|/tmp/x");
    unwritable("modprobe", "/proc/sys/kernel/modprobe", "/tmp/x");
    unwritable("binfmt_misc", "/proc/sys/fs/binfmt_misc/register", ":x:M::x::/tmp/x:");
    unwritable("drop_caches", "/proc/sys/vm/drop_caches", "1");
    unwritable("ip_forward", "/proc/sys/net/ipv4/ip_forward", "1");
    unwritable("sysrq", "/proc/sysrq-trigger", "h");
    report(
        "/proc/1/environ",
        read_all("/proc/1/environ").find("KILN_TEST_SECRET") == std::string::npos,
        "the user's environment");
    report(
        "/proc/1/cmdline",
        read_all("/proc/1/cmdline").find("sandbox_runner") == std::string::npos,
        "kiln's arguments");
    report("/proc/1/root", !is_victim("/proc/1/root" + victim), "the host's files");
    report("/proc/1/cwd", !is_victim("/proc/1/cwd" + victim), "the host's files");
    report("/proc/self/root", !is_victim("/proc/self/root/../.." + victim), "the host's files");
    report(
        "/proc/1/fd",
        [] {
            DIR* folder = ::opendir("/proc/1/fd");
            int count = 0;
            while (folder != nullptr && ::readdir(folder) != nullptr) {
                ++count;
            }
            return count <= 2;
        }(),
        "descriptors");
    report("/proc/kcore", read_all("/proc/kcore", 16).empty(), "memory of the kernel");
    report("/proc/kallsyms", read_all("/proc/kallsyms", 16).empty(), "addresses of the kernel");
    report("/proc/keys", read_all("/proc/keys").empty(), "key rings");
    report("/proc/kmsg", read_all("/proc/kmsg", 16).empty(), "messages of the kernel");
    report("/proc/timer_list", read_all("/proc/timer_list", 16).empty(), "timers of the host");
    report("/proc/slabinfo", read_all("/proc/slabinfo", 16).empty(), "what is root's to read");
    report(
        "/proc/pagetypeinfo", read_all("/proc/pagetypeinfo", 16).empty(), "what is root's to read");
    report("/sys", read_all("/sys/kernel/uevent_seqnum").empty(), "sysfs");
    report(
        "other processes",
        ::kill(2, 0) != 0 || read_all("/proc/2/comm").find("kthreadd") == std::string::npos,
        "the host's processes");
}

/// The secret is in the memory of kiln, of which process 1 was a copy.
void memory_of_process_1() {
    std::string maps = read_all("/proc/1/maps");
    const int memory = ::open("/proc/1/mem", O_RDONLY);
    bool found = false;
    for (std::size_t at = 0; memory >= 0 && at < maps.size();) {
        const std::size_t end = maps.find('\n', at);
        unsigned long from = 0;
        unsigned long to = 0;
        if (std::sscanf(maps.c_str() + at, "%lx-%lx", &from, &to) == 2 &&
            to - from < (64U << 20U)) {
            std::vector<char> bytes(to - from);
            const ssize_t count =
                ::pread(memory, bytes.data(), bytes.size(), static_cast<off_t>(from));
            found =
                found || (count > 0 && std::string(bytes.data(), static_cast<std::size_t>(count))
                                               .find("KILN_TEST_SECRET=") != std::string::npos);
        }
        at = end == std::string::npos ? maps.size() : end + 1;
    }
    report("/proc/1/mem", !found, "the user's secrets");
    refused("ptrace process 1", ::ptrace(PTRACE_ATTACH, 1, nullptr, nullptr));
    std::array<char, 16> buffer{};
    iovec local{buffer.data(), buffer.size()};
    iovec remote{reinterpret_cast<void*>(0x400000), buffer.size()};
    refused("process_vm_readv", ::process_vm_readv(1, &local, 1, &remote, 1, 0));
    refused("pidfd_getfd", ::syscall(SYS_pidfd_getfd, ::syscall(SYS_pidfd_open, 1, 0), 0, 0));
}

void descriptors() {
    std::string leaked;
    for (int fd = 3; fd < 1024; ++fd) {
        if (::fcntl(fd, F_GETFD) >= 0) {
            std::array<char, 256> target{};
            ::readlink(
                ("/proc/self/fd/" + std::to_string(fd)).c_str(), target.data(), target.size() - 1);
            leaked += std::to_string(fd) + " " + target.data() + " ";
        }
    }
    report("descriptors above 2", leaked.empty(), leaked);
    report(
        "a folder on descriptor 9",
        !is_victim("/proc/self/fd/9/" + victim.substr(victim.rfind('/') + 1)),
        "the host's files");
}

void terminal() {
    report("/dev/tty", ::open("/dev/tty", O_RDWR) < 0, "the user's terminal");
    const char c = 'x';
    for (const int fd : {0, 1, 2}) {
        refused("TIOCSTI", ::ioctl(fd, TIOCSTI, &c));
    }
    const int own = ::open("/dev/ptmx", O_RDWR);
    refused("TIOCSTI on a terminal of its own", ::ioctl(own, TIOCSTI, &c));
    const char paste = 3;
    errno = 0;
    refused("TIOCLINUX", ::ioctl(own, TIOCLINUX, &paste));
    refused("take a controlling terminal", ::ioctl(0, TIOCSCTTY, 1));
}

void key_ring() {
    refused("keyctl", ::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0));
    refused(
        "search of the user's keys", ::syscall(SYS_request_key, "user", "kiln-test", nullptr, 0));
    refused("add_key", ::syscall(SYS_add_key, "user", "x", "y", 1, KEY_SPEC_USER_KEYRING));
}

void sockets() {
    refused("AF_VSOCK", ::socket(AF_VSOCK, SOCK_STREAM, 0));
    refused("AF_PACKET", ::socket(AF_PACKET, SOCK_RAW, 0));
    refused("AF_ALG", ::socket(AF_ALG, SOCK_SEQPACKET, 0));
    refused("AF_BLUETOOTH", ::socket(AF_BLUETOOTH, SOCK_RAW, 0));
    refused("AF_XDP", ::socket(AF_XDP, SOCK_RAW, 0));
    refused("raw sockets", ::socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
    refused("netlink audit", ::socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT));
    refused("netfilter", ::socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(host_port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int tcp = ::socket(AF_INET, SOCK_STREAM, 0);
    refused(
        "a server of the host",
        ::connect(tcp, reinterpret_cast<const sockaddr*>(&address), sizeof address));
    sockaddr_un abstract{};
    abstract.sun_family = AF_UNIX;
    std::strcpy(abstract.sun_path + 1, "kiln-test-abstract");
    const auto size = static_cast<socklen_t>(
        offsetof(sockaddr_un, sun_path) + 1 + std::strlen(abstract.sun_path + 1));
    const int local = ::socket(AF_UNIX, SOCK_STREAM, 0);
    refused(
        "an abstract socket of the host",
        ::connect(local, reinterpret_cast<const sockaddr*>(&abstract), size));
}

void namespaces() {
    refused("unshare user", ::unshare(CLONE_NEWUSER));
    refused("unshare mount", ::unshare(CLONE_NEWNS));
    refused("unshare net", ::unshare(CLONE_NEWNET));
    refused("unshare time", ::unshare(0x80));
    refused(
        "clone with a user namespace", ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
    std::array<std::uint64_t, 8> arguments{CLONE_NEWUSER, 0, 0, 0, SIGCHLD, 0, 0, 0};
    refused("clone3", ::syscall(SYS_clone3, arguments.data(), sizeof arguments));
    refused("setns", ::setns(::open("/proc/1/ns/mnt", O_RDONLY), 0));
}

/// The old way out of a chroot: a folder for the root, and ".." from outside of it.
void chroot_and_up() {
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::mkdir("/tmp/inner", 0755);
        const int top = ::open("/", O_RDONLY | O_DIRECTORY);
        static_cast<void>(!::chroot("/tmp/inner"));
        static_cast<void>(!::fchdir(top));
        for (int i = 0; i < 64; ++i) {
            static_cast<void>(!::chdir(".."));
        }
        static_cast<void>(!::chroot("."));
        ::_exit(is_victim(victim) ? 1 : 0);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    report("chroot and ..", status == 0, "the host's files");
    report("the victim by its path", !is_victim(victim), "the host's files");
}

void devices_and_clock() {
    refused("a block device", ::mknod("/tmp/disk", S_IFBLK | 0600, makedev(8, 0)));
    refused("/dev/mem", ::mknod("/tmp/mem", S_IFCHR | 0600, makedev(1, 1)));
    refused("a block device in the tree", ::mknod("/disk", S_IFBLK | 0600, makedev(254, 0)));
    refused("/dev/kmsg", ::open("/dev/kmsg", O_RDONLY));
    const timespec time{1000000000, 0};
    refused("clock_settime", ::clock_settime(CLOCK_REALTIME, &time));
    const timeval value{1000000000, 0};
    refused("settimeofday", ::settimeofday(&value, nullptr));
    timex change{};
    change.modes = ADJ_OFFSET;
    refused("adjtimex", ::adjtimex(&change));
}

void kernel() {
    std::array<char, 512> zeros{};
    refused("io_uring", ::syscall(SYS_io_uring_setup, 8, zeros.data()));
    refused("bpf", ::syscall(SYS_bpf, 0, zeros.data(), 64));
    refused("perf_event_open", ::syscall(SYS_perf_event_open, zeros.data(), 0, -1, -1, 0));
    refused("userfaultfd", ::syscall(SYS_userfaultfd, 0));
    refused("init_module", ::syscall(SYS_init_module, zeros.data(), 16, ""));
    refused("finit_module", ::syscall(SYS_finit_module, 0, "", 0));
    refused("kexec_load", ::syscall(SYS_kexec_load, 0, 0, nullptr, 0));
    refused("reboot", ::reboot(RB_DISABLE_CAD));
    refused("open_by_handle_at", ::syscall(SYS_open_by_handle_at, AT_FDCWD, zeros.data(), 0));
    refused("acct", ::acct(nullptr));
    refused("iopl", ::syscall(SYS_iopl, 3));
    refused("syslog", ::syscall(SYS_syslog, 3, zeros.data(), zeros.size()));
    refused("sethostname", ::sethostname("x", 1));
    refused("quotactl", ::syscall(SYS_quotactl, 0, nullptr, 0, nullptr));
    refused("fanotify_init", ::syscall(SYS_fanotify_init, 0, 0));
    refused("kcmp", ::syscall(SYS_kcmp, 1, ::getpid(), 0, 0, 0));
}

void capabilities_and_limits() {
    std::array<__user_cap_data_struct, 2> all{};
    for (auto& set : all) {
        set.effective = set.permitted = ~0U;
    }
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    refused("all capabilities", ::syscall(SYS_capset, &header, all.data()));
    for (const int capability :
         {CAP_SYS_ADMIN,
          CAP_SYS_PTRACE,
          CAP_NET_ADMIN,
          CAP_NET_RAW,
          CAP_SYS_MODULE,
          CAP_MKNOD,
          CAP_SYS_RESOURCE,
          CAP_SYS_RAWIO}) {
        report(
            "a capability in the bounding set",
            ::prctl(PR_CAPBSET_READ, capability) == 0,
            std::to_string(capability));
    }
    const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    refused("more processes", ::setrlimit(RLIMIT_NPROC, &unlimited));
    refused("core files", ::setrlimit(RLIMIT_CORE, &unlimited));
    refused("more memory", ::setrlimit(RLIMIT_DATA, &unlimited));
    refused("a higher priority", ::setpriority(PRIO_PROCESS, 0, -20));
}

/// What the host then looks at: a set-user-id program of root's in a folder that it shares.
void leave_set_user_id() {
    const int fd = ::open("/run/out/setuid", O_CREAT | O_WRONLY, 0755);
    static_cast<void>(!::fchown(fd, 0, 0));
    static_cast<void>(!::fchmod(fd, 06755));
    ::close(fd);
}

/// Last: whoever is left answers.
void signals() {
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::kill(-1, SIGKILL);
        ::kill(1, SIGKILL);
        ::kill(1, SIGSTOP);
        ::_exit(0);
    }
    // The other may be killed on its own or not; this process was, unless it is shielded.
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        return 2;
    }
    victim = argv[1];
    host_port = static_cast<std::uint16_t>(std::atoi(argv[2]));
    if (argc > 3) { // signals alone
        signals();
        ::pause();
    }
    descriptors(); // before any that this program leaves open
    mounts();
    proc_and_sys();
    memory_of_process_1();
    terminal();
    key_ring();
    sockets();
    namespaces();
    chroot_and_up();
    devices_and_clock();
    kernel();
    capabilities_and_limits();
    leave_set_user_id();
    std::printf("%d ways, %d open\n", tried, opened);
    return opened == 0 ? 0 : 1;
}
