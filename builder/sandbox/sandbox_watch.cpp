// SPDX-License-Identifier: MIT
#include "sandbox/sandbox_watch.hpp"

#include "base/io/file.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <memory>
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

struct FreeSpace {
    std::uint64_t bytes = 0;
    std::uint64_t files = 0; ///< 0 where a file system has no such limit (btrfs)
};

FreeSpace free_space(const std::filesystem::path& path) {
    struct statvfs info{};
    if (::statvfs(path.c_str(), &info) != 0) {
        return {};
    }
    return {std::uint64_t{info.f_bavail} * info.f_frsize, std::uint64_t{info.f_favail}};
}

bool fell_by_more(std::uint64_t from, std::uint64_t to, std::uint64_t limit) {
    return to < from && from - to > limit;
}

std::uint64_t or_most_of(std::uint64_t limit, std::uint64_t free) {
    return limit != 0 ? limit : free / 10 * 9;
}

/// What programs can get without others being pushed out (proc(5), meminfo); 0: not known.
std::uint64_t available_memory() {
    constexpr std::string_view kName = "MemAvailable:";
    for (const std::string& line : split_lines(read_proc("/proc/meminfo"))) {
        if (line.starts_with(kName)) {
            std::string_view number = std::string_view(line).substr(kName.size());
            number = trim(number.substr(0, number.rfind(" kB")));
            return parse_unsigned(number).value_or(0) * 1024;
        }
    }
    return 0;
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
watch_disk(const std::filesystem::path& folder, std::uint64_t limit) {
    const std::uint64_t first = free_space(folder).bytes;
    const std::uint64_t most = or_most_of(limit, first);
    return [=](pid_t) -> std::string {
        return fell_by_more(first, free_space(folder).bytes, most)
                   ? fmt::format("it wrote more than {}", format_size(most))
                   : std::string();
    };
}

std::function<std::string(pid_t)>
watch_resources(const SandboxLimits& limits, const std::filesystem::path& tree) {
    const FreeSpace first = free_space(tree);
    const std::uint64_t disk = or_most_of(limits.disk, first.bytes);
    const std::uint64_t files = or_most_of(limits.files, first.files);
    const std::uint64_t memory_left =
        limits.memory_left != 0 ? limits.memory_left : available_memory() / 10;
    return [=](pid_t pid) -> std::string {
        if (private_memory_of(pid) > limits.memory) {
            return fmt::format("it used more than {} of memory", format_size(limits.memory));
        }
        if (available_memory() < memory_left) {
            return fmt::format(
                "less than {} of memory was left on the host", format_size(memory_left));
        }
        const FreeSpace now = free_space(tree);
        if (fell_by_more(first.bytes, now.bytes, disk)) {
            return fmt::format("it wrote more than {} to the tree", format_size(disk));
        }
        if (fell_by_more(first.files, now.files, files)) {
            return fmt::format("it created more than {} files in the tree", files);
        }
        return {};
    };
}

} // namespace kiln
