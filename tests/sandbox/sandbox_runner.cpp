// SPDX-License-Identifier: MIT
//
// Runs one program in a sandbox, as a bake would, in a tree of nothing but that program.
//
//     sandbox_runner [--no-user-namespace] FOLDER [--limit NAME=NUMBER]... PROGRAM [ARGUMENT...]
//
// --no-user-namespace: as on a kernel that gives nobody one, as with user.max_user_namespaces=0.
//
// FOLDER gets the tree (FOLDER/root) and what it shares: FOLDER/bound, read-only at /run/bound, and
// FOLDER/out, writable at /run/out. The program is copied to /program. Prints what the program
// prints; ends with its exit code, or 100 when it was stopped.
#include "base/process/resource_limits.hpp"
#include "base/text.hpp"
#include "sandbox/namespaces.hpp"
#include "sandbox/sandbox.hpp"
#include "tree/tree_root.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace {

constexpr int kStopped = 100;

void set_limit(kiln::SandboxLimits& limits, const std::string& text) {
    const std::size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    const std::uint64_t number = kiln::parse_unsigned(text.substr(equals + 1)).value_or(0);
    if (name == "time") {
        limits.time = std::chrono::seconds(number);
    } else if (name == "output") {
        limits.output = number;
    } else if (name == "memory") {
        limits.memory = number;
    } else if (name == "processes") {
        limits.processes = number;
    } else if (name == "disk") {
        limits.disk = number;
    } else if (name == "files") {
        limits.files = number;
    } else if (name == "memory_left") {
        limits.memory_left = number;
    }
}

/// Calls that would make a user namespace fail as the kernel lets them fail when there is no room
/// for one, for this process and its children. Flags of clone3 cannot be seen by a filter: it is
/// not there, and libraries use clone.
void refuse_user_namespaces() {
    constexpr unsigned kNumber = offsetof(seccomp_data, nr);
    constexpr unsigned kFlags =
        offsetof(seccomp_data, args); // the lower half of the first argument
    std::array<sock_filter, 9> rules{{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNumber),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 6, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kFlags),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_NEWUSER, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSPC),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    }};
    const sock_fprog program{rules.size(), rules.data()};
    if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) {
        throw kiln::SystemError("cannot refuse user namespaces");
    }
}

int run(std::vector<std::string> words) {
    if (words.at(0) == "--no-user-namespace") {
        refuse_user_namespaces();
        words.erase(words.begin());
    }
    const kiln::fs::path folder = words.at(0);
    kiln::SandboxLimits limits;
    std::size_t at = 1;
    for (; words.at(at) == "--limit"; at += 2) {
        set_limit(limits, words.at(at + 1));
    }
    const kiln::BuildNamespace& build = kiln::enter_build_namespace();
    const kiln::fs::path root = folder / "root";
    for (const char* name : {"root", "bound", "out"}) {
        kiln::fs::create_directories(folder / name);
        kiln::fs::permissions(folder / name, kiln::fs::perms(0755));
    }
    kiln::give_to_tree(root, build.tree_ids);
    kiln::give_to_tree(folder / "out", build.tree_ids);
    if (::mount(root.c_str(), root.c_str(), nullptr, MS_BIND, nullptr) != 0) {
        throw kiln::SystemError("cannot mount the tree");
    }
    const kiln::TreeRoot tree(root, build.tree_ids);
    kiln::FileSource program(words.at(at));
    tree.write_file("/program", program, {.mode = 0755});
    kiln::Sandbox sandbox(
        {.root = root,
         .binds = {{folder / "bound", "/run/bound"}, {folder / "out", "/run/out", false}},
         .limits = limits});
    kiln::Command command{
        "/program", {words.begin() + static_cast<std::ptrdiff_t>(at) + 1, words.end()}};
    const kiln::ProcessResult result = sandbox.run(command);
    std::cout << result.output.substr(0, 1U << 20U);
    if (!result.stopped.empty()) {
        std::cout << "stopped: " << result.stopped << "\n";
        return kStopped;
    }
    return result.exit_status;
}

} // namespace

int main(int argc, char** argv) {
    try {
        if (argc < 3) {
            return 2;
        }
        kiln::raise_own_limits();
        return run({argv + 1, argv + argc});
    } catch (const kiln::Error& error) {
        std::cerr << "sandbox_runner: " << error.message() << "\n" << error.hint() << "\n";
        return 99;
    }
}
