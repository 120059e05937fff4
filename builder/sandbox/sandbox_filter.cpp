// SPDX-License-Identifier: MIT
#include "sandbox/sandbox_filter.hpp"

#include "base/error.hpp"
#include "base/handle.hpp"
#include "base/io/file.hpp"

#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace kiln {

namespace {

using SeccompFilter = Handle<void, seccomp_release>;

constexpr std::array kDoNothing{"fsync", "fdatasync", "sync", "syncfs", "sync_file_range", "msync"};

constexpr std::array kRefused{// Mounts: the sandbox's own are made before.
                              "mount",
                              "umount2",
                              "umount",
                              "pivot_root",
                              "move_mount",
                              "open_tree",
                              "open_tree_attr",
                              "fsopen",
                              "fsconfig",
                              "fsmount",
                              "fspick",
                              "mount_setattr",
                              "swapon",
                              "swapoff",
                              "quotactl",
                              "quotactl_fd",
                              // Other processes' memory and descriptors.
                              "ptrace",
                              "process_vm_readv",
                              "process_vm_writev",
                              "process_madvise",
                              "pidfd_getfd",
                              "kcmp",
                              // The kernel itself.
                              "init_module",
                              "finit_module",
                              "delete_module",
                              "kexec_load",
                              "kexec_file_load",
                              "reboot",
                              "bpf",
                              "perf_event_open",
                              "userfaultfd",
                              "fanotify_init",
                              "open_by_handle_at",
                              "acct",
                              "iopl",
                              "ioperm",
                              "syslog",
                              "lookup_dcookie",
                              "nfsservctl",
                              "vhangup",
                              "_sysctl",
                              // Namespaces and the machine's names and clocks.
                              "setns",
                              "sethostname",
                              "setdomainname",
                              "settimeofday",
                              "clock_settime",
                              "stime"};

/// Programs know how to do without these where a kernel does not have them.
constexpr std::array kMissing{
    "keyctl",
    "add_key",
    "request_key",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    // Its flags lie in memory, where a filter cannot see them; clone(2) does the same.
    "clone3"};

constexpr std::array<std::uint64_t, 8> kNamespaceFlags{
    CLONE_NEWUSER,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWNET,
    CLONE_NEWIPC,
    CLONE_NEWUTS,
    CLONE_NEWCGROUP,
    0x80 /* CLONE_NEWTIME, of unshare(2) alone */};

constexpr std::array<std::uint64_t, 4> kFamilies{AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
constexpr std::array<std::uint64_t, 2> kNetlinkProtocols{NETLINK_ROUTE, NETLINK_KOBJECT_UEVENT};

class FilterBuilder {
  public:
    FilterBuilder() : filter_(seccomp_init(SCMP_ACT_ALLOW)) { KILN_CHECK(filter_ != nullptr); }

    template <std::size_t N> void add_all(const std::array<const char*, N>& names, int error) {
        for (const char* name : names) {
            add(name, error, {});
        }
    }

    /// Lets `name` fail with `error` (0: succeed without doing anything) when all comparisons hold.
    void add(const char* name, int error, const std::vector<scmp_arg_cmp>& comparisons) {
        const int number = seccomp_syscall_resolve_name(name);
        if (number < 0) {
            return; // not a call of this architecture
        }
        KILN_CHECK(
            seccomp_rule_add_array(
                filter_.get(),
                SCMP_ACT_ERRNO(static_cast<std::uint32_t>(error)),
                number,
                static_cast<unsigned>(comparisons.size()),
                comparisons.data()) == 0);
    }

    [[nodiscard]] std::vector<sock_filter> program() const {
        const UniqueFd fd(::memfd_create("seccomp", MFD_CLOEXEC));
        if (!fd.is_open() || seccomp_export_bpf(filter_.get(), fd.get()) != 0) {
            throw SystemError("cannot create the system call filter");
        }
        const auto size = static_cast<std::size_t>(::lseek(fd.get(), 0, SEEK_END));
        std::vector<sock_filter> out(size / sizeof(sock_filter));
        read_exactly_at(fd.get(), std::as_writable_bytes(std::span(out)), 0, "seccomp");
        return out;
    }

  private:
    SeccompFilter filter_;
};

/// The kernel looks at the low half of these arguments only, so must the comparison.
scmp_arg_cmp low_half_is(unsigned argument, std::uint64_t value) {
    return {argument, SCMP_CMP_MASKED_EQ, 0xffffffffU, value};
}

scmp_arg_cmp has_bit(unsigned argument, std::uint64_t bit) {
    return {argument, SCMP_CMP_MASKED_EQ, bit, bit};
}

void refuse_namespaces(FilterBuilder& builder) {
    for (const std::uint64_t flag : kNamespaceFlags) {
        builder.add("unshare", EPERM, {has_bit(0, flag)});
        if (flag > 0xff) { // below are clone(2)'s exit signals
            builder.add("clone", EPERM, {has_bit(0, flag)});
        }
    }
}

void refuse_sockets(FilterBuilder& builder) {
    constexpr std::uint64_t kMostFamilies = 64; // the kernel knows fewer (AF_MAX)
    for (std::uint64_t family = 0; family < kMostFamilies; ++family) {
        if (std::find(kFamilies.begin(), kFamilies.end(), family) == kFamilies.end()) {
            builder.add("socket", EAFNOSUPPORT, {low_half_is(0, family)});
        }
    }
    for (std::uint64_t protocol = 0; protocol < MAX_LINKS; ++protocol) {
        if (std::find(kNetlinkProtocols.begin(), kNetlinkProtocols.end(), protocol) ==
            kNetlinkProtocols.end()) {
            builder.add(
                "socket", EPROTONOSUPPORT, {low_half_is(0, AF_NETLINK), low_half_is(2, protocol)});
        }
    }
}

} // namespace

std::vector<sock_filter> sandbox_filter() {
    FilterBuilder builder;
    builder.add_all(kDoNothing, 0);
    builder.add_all(kRefused, EPERM);
    builder.add_all(kMissing, ENOSYS);
    refuse_namespaces(builder);
    refuse_sockets(builder);
    for (const std::uint64_t request : {std::uint64_t{TIOCSTI}, std::uint64_t{TIOCLINUX}}) {
        builder.add("ioctl", EPERM, {low_half_is(1, request)});
    }
    return builder.program();
}

} // namespace kiln
