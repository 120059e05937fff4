// SPDX-License-Identifier: MIT
//
// Runs programs of a tree (maintainer scripts, dpkg, compilers) inside that tree: own user, mount,
// pid, ipc, uts and network namespaces, no network but loopback, own /dev, /proc and temporary
// directories, a fixed environment, no terminal, no fsync, few capabilities and system calls, and
// limits. A ProcessRunner, so stages do not care where their commands run. docs/security.md says
// what this promises.
#pragma once

#include "base/process/process.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace kiln {

/// How much programs may take. A program that takes more is stopped, with words that say which
/// limit it was.
struct SandboxLimits {
    std::chrono::seconds time = std::chrono::hours(1); ///< of one command
    std::uint64_t output = Command::kLargestOutput;    ///< bytes printed by one command
    std::uint64_t memory = 0; ///< bytes of all its processes; 0: three quarters of the machine's
    std::uint64_t processes = 8192; ///< at the same time, of one user
    std::uint64_t disk = 0;         ///< bytes written to the tree; 0: nine tenths of what is free
    std::uint64_t files = 0; ///< made in the tree; 0: nine tenths of what its file system can take
    /// Bytes of memory that must stay available to the machine; 0: a tenth of what is at first.
    /// Holds what no process has for itself: files in /tmp, shared memory, memfds, pipes.
    std::uint64_t memory_left = 0;
};

/// A directory of the build host that programs find at another place.
struct SandboxBind {
    std::filesystem::path source;
    std::string target; ///< absolute, below /run or /tmp, where the sandbox may make directories
    bool read_only = true;
};

struct SandboxOptions {
    std::filesystem::path root; ///< becomes "/"; must be a mount point of this mount namespace
    std::int64_t epoch = 0;     ///< SOURCE_DATE_EPOCH for the programs
    Environment env = {};       ///< added to the fixed environment
    std::vector<SandboxBind> binds = {};
    /// Nothing but what is bound writable, /run, /tmp and /dev can be changed: several sandboxes
    /// can share a root. It must have the directories /proc, /dev, /run and /tmp.
    bool read_only_root = false;
    SandboxLimits limits = {};
};

/// Needs enter_build_namespace(). Commands' `cwd` and `program` are paths inside the root; their
/// `env` is laid over the sandbox's.
class Sandbox final : public ProcessRunner {
  public:
    explicit Sandbox(SandboxOptions options);
    ~Sandbox() override;

    ProcessResult run(const Command& command) override;

  private:
    struct Prepared;
    SandboxOptions options_;
    std::unique_ptr<Prepared> prepared_;
};

} // namespace kiln
