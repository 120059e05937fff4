// SPDX-License-Identifier: MIT
#include "base/process/kernel_files.hpp"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace kiln {

namespace {

struct KernelFiles {
    std::uint32_t magic; ///< statfs(2), f_type
    std::string_view name;
};

constexpr auto kKernelFiles = std::to_array<KernelFiles>({
    {PROC_SUPER_MAGIC, "proc"},
    {SYSFS_MAGIC, "sysfs"},
    {CGROUP_SUPER_MAGIC, "cgroup"},
    {CGROUP2_SUPER_MAGIC, "cgroup2"},
    {DEBUGFS_MAGIC, "debugfs"},
    {TRACEFS_MAGIC, "tracefs"},
    {SECURITYFS_MAGIC, "securityfs"},
    {SELINUX_MAGIC, "selinuxfs"},
    {SMACK_MAGIC, "smackfs"},
    {AAFS_MAGIC, "apparmorfs"},
    {DEVPTS_SUPER_MAGIC, "devpts"},
    {BPF_FS_MAGIC, "bpf"},
    {BINFMTFS_MAGIC, "binfmt_misc"},
    {BINDERFS_SUPER_MAGIC, "binder"},
    {EFIVARFS_MAGIC, "efivarfs"},
    {PSTOREFS_MAGIC, "pstore"},
    {NSFS_MAGIC, "nsfs"},
    {RDTGROUP_SUPER_MAGIC, "resctrl"},
    {HUGETLBFS_MAGIC, "hugetlbfs"},
    {0x62656570, "configfs"},
    {0x65735543, "fusectl"},
    {0x19800202, "mqueue"},
    {0x67596969, "rpc_pipefs"},
    {0x6e667364, "nfsd"},
});

} // namespace

std::string_view kernel_file_system(const std::filesystem::path& path) noexcept {
    struct statfs info{};
    if (::statfs(path.c_str(), &info) != 0) {
        return {};
    }
    const auto magic = static_cast<std::uint32_t>(info.f_type);
    const auto* const found =
        std::ranges::find(kKernelFiles, magic, [](const KernelFiles& each) { return each.magic; });
    return found == kKernelFiles.end() ? std::string_view() : found->name;
}

} // namespace kiln
