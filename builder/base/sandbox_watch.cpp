// SPDX-License-Identifier: MIT
#include "base/sandbox_watch.hpp"

#include "base/file.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace kiln {

namespace {

/// Far more than a sandbox may have; bounds the time of one look.
constexpr std::size_t kMostProcesses = 100'000;

std::uint64_t pages_to_bytes(std::uint64_t pages) {
    return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// A small file of /proc; empty when the process has ended.
std::string read_proc(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::string out;
    std::array<char, 4096> buffer{};
    ssize_t count = 0;
    while (fd.is_open() && (count = ::read(fd.get(), buffer.data(), buffer.size())) > 0) {
        out.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return out;
}

/// Resident pages that are not shared with files or other processes' mappings (proc(5), statm).
std::uint64_t private_pages(pid_t pid) {
    const auto fields = split(read_proc(fmt::format("/proc/{}/statm", pid)), ' ');
    if (fields.size() < 3) {
        return 0;
    }
    const std::uint64_t resident = parse_unsigned(fields[1]).value_or(0);
    const std::uint64_t shared = parse_unsigned(fields[2]).value_or(0);
    return resident > shared ? resident - shared : 0;
}

/// Every thread has children of its own.
void add_children(pid_t pid, std::vector<pid_t>& out) {
    std::error_code ended;
    const std::string folder = fmt::format("/proc/{}/task", pid);
    for (fs::directory_iterator it(folder, ended), end; !ended && it != end; it.increment(ended)) {
        for (const std::string& child : split(read_proc(it->path() / "children"), ' ')) {
            if (const auto number = parse_unsigned(child)) {
                out.push_back(static_cast<pid_t>(*number));
            }
        }
    }
}

std::optional<std::uint64_t> free_bytes(const std::filesystem::path& path) {
    struct statvfs info{};
    if (::statvfs(path.c_str(), &info) != 0) {
        return std::nullopt;
    }
    return std::uint64_t{info.f_bavail} * info.f_frsize;
}

} // namespace

SandboxLimits with_defaults(SandboxLimits limits) {
    if (limits.memory == 0) {
        limits.memory =
            pages_to_bytes(static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES))) / 4 * 3;
    }
    return limits;
}

std::uint64_t private_memory_of(pid_t pid) {
    std::vector<pid_t> processes;
    add_children(pid, processes);
    std::uint64_t pages = 0;
    for (std::size_t i = 0; i < processes.size() && i < kMostProcesses; ++i) {
        pages += private_pages(processes[i]);
        add_children(processes[i], processes);
    }
    return pages_to_bytes(pages);
}

std::function<std::string(pid_t)>
watch_resources(const SandboxLimits& limits, const std::filesystem::path& tree) {
    const auto free_at_first = free_bytes(tree);
    const std::uint64_t disk = limits.disk != 0 ? limits.disk : free_at_first.value_or(0) / 10 * 9;
    return [=](pid_t pid) -> std::string {
        if (private_memory_of(pid) > limits.memory) {
            return fmt::format("it used more than {} of memory", format_size(limits.memory));
        }
        const auto free_now = free_bytes(tree);
        if (free_at_first && free_now && *free_now < *free_at_first &&
            *free_at_first - *free_now > disk) {
            return fmt::format("it wrote more than {} to the tree", format_size(disk));
        }
        return {};
    };
}

} // namespace kiln
