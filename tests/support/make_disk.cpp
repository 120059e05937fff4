// SPDX-License-Identifier: MIT
#include "support/make_disk.hpp"

#include "base/error.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

namespace kiln::test {

namespace {
constexpr std::uint64_t kLargestDisk = std::uint64_t{1} << 30U;

constexpr std::uint64_t kMebibyte = 1U << 20U;
constexpr std::uint64_t kRootOffset = 2 * kMebibyte;
constexpr std::uint64_t kRootSize = 64 * kMebibyte;

void make_path(const FileTree& tree, const fs::path& root, const std::string& path) {
    const Entry& entry = *tree.find(path);
    const fs::path target = root / path;
    if (entry.type == FileType::directory) {
        fs::create_directories(target);
    } else if (entry.type == FileType::symlink) {
        fs::create_symlink(entry.target, target);
    } else if (!entry.hardlink_to.empty()) {
        fs::create_hard_link(root / entry.hardlink_to, target);
    } else {
        write_file_atomically(target, *entry.data);
    }
}

void set_mode_and_time(const FileTree& tree, const fs::path& root, const std::string& path) {
    const Entry& entry = *tree.find(path);
    const fs::path target = root / path;
    if (entry.type != FileType::symlink && ::chmod(target.c_str(), entry.mode) != 0) {
        throw SystemError("chmod");
    }
    const timespec time{.tv_sec = entry.mtime, .tv_nsec = 0};
    const timespec times[2] = {time, time};
    if (::utimensat(AT_FDCWD, target.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) {
        throw SystemError("utimensat");
    }
}

/// What mke2fs cannot take from files of a plain user.
std::string debugfs_commands(const FileTree& tree, const fs::path& folder) {
    std::string commands;
    int attribute = 0;
    for (const auto& [path, entry] : tree.entries()) {
        commands += fmt::format("sif \"/{}\" uid {}\n", path, entry.uid);
        commands += fmt::format("sif \"/{}\" gid {}\n", path, entry.gid);
        commands += fmt::format("sif \"/{}\" mtime @{}\n", path, entry.mtime);
        for (const auto& [name, value] : entry.xattrs) {
            const fs::path file = folder / fmt::format("attribute{}", attribute++);
            write_file_atomically(file, value);
            commands += fmt::format("ea_set -f {} \"/{}\" {}\n", file.string(), path, name);
        }
    }
    return commands;
}

} // namespace

ToolDisk make_tool_disk(const FileTree& tree, const fs::path& folder, ProcessRunner& runner) {
    const auto run = [&](const std::string& program, std::vector<std::string> args) {
        runner.run_checked(
            {.program = program, .args = std::move(args), .env = clean_environment()});
    };
    const fs::path root = folder / "root";
    fs::create_directories(root);
    for (const auto& [path, entry] : tree.entries()) {
        make_path(tree, root, path);
    }
    for (auto it = tree.entries().rbegin(); it != tree.entries().rend(); ++it) {
        set_mode_and_time(tree, root, it->first);
    }

    const fs::path partition = folder / "root.ext4";
    const std::string size = fmt::format("{}k", kRootSize / 1024);
    run("mke2fs", {"-q", "-t", "ext4", "-L", "root", "-d", root, partition, size});
    const fs::path commands = folder / "debugfs.commands";
    write_file_atomically(commands, debugfs_commands(tree, folder));
    run("debugfs", {"-w", "-f", commands, partition});

    ToolDisk disk{.path = folder / "disk.raw", .root_offset = kRootOffset};
    write_file_atomically(disk.path, "");
    fs::resize_file(disk.path, kRootOffset + kRootSize + kMebibyte);
    runner.run_checked(
        {.program = "sfdisk",
         .args = {"--quiet", disk.path},
         .env = clean_environment(),
         .input = "label: gpt\n"
                  "start=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649, name=bios\n"
                  "start=4096, size=131072, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, "
                  "name=root\n"});
    const std::string content = read_text_file(partition, kLargestDisk);
    const UniqueFd fd = open_file(disk.path, O_WRONLY | O_CLOEXEC);
    write_all_at(fd.get(), as_byte_span(content), kRootOffset, disk.path);
    return disk;
}

void patch_file(const fs::path& path, std::string_view from, std::string_view to) {
    const std::string content = read_text_file(path, kLargestDisk);
    const std::size_t at = content.find(from);
    if (at == std::string::npos || from.size() != to.size()) {
        throw Error(fmt::format("cannot patch '{}'", path.string()));
    }
    const UniqueFd fd = open_file(path, O_WRONLY | O_CLOEXEC);
    write_all_at(fd.get(), as_byte_span(to), at, path);
}

} // namespace kiln::test
