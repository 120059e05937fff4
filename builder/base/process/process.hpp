// SPDX-License-Identifier: MIT
//
// Child processes: no shell, a fixed environment, output captured. The runner is an interface so
// that tests can stand in for the programs, and so that the sandbox can run the same commands.
#pragma once

#include "base/environment.hpp"
#include "base/error.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

struct Command {
    std::string program;           ///< looked up in PATH of `env` unless it contains a slash
    std::vector<std::string> args; ///< without the program itself
    Environment env = {};
    std::filesystem::path cwd = {}; ///< empty: the caller's
    std::string input = {};         ///< fed to standard input
    /// Called with complete lines of output (stdout and stderr as they come), as many as there are
    /// at a time, each with its newline; only the very last may have none.
    std::function<void(std::string_view lines)> on_lines = {};
    /// Several commands run with their stdout apart: then `output` holds stdout alone.
    bool separate_stderr = false;
    std::chrono::seconds timeout{0}; ///< after which it is ended with all its children; 0: never
    /// Bytes of output after which it is ended likewise; all of it is kept in memory until then.
    std::uint64_t output_limit = kLargestOutput;
    /// Asked twice a second whether the child may go on; a reason not to ends it. Called with the
    /// id of the process that was forked.
    std::function<std::string(pid_t)> watch = {};

    static constexpr std::uint64_t kLargestOutput = std::uint64_t{64} << 20U;
};

struct ProcessResult {
    int exit_status = 0;    ///< exit code, or 128 + signal number
    std::string output;     ///< stdout and stderr as they came (or stdout, see separate_stderr)
    std::string errors;     ///< stderr when separate_stderr
    bool timed_out = false; ///< it was ended after its timeout; exit_status is not 0 then
    /// Why kiln ended it, such as "it printed more than 64 MiB"; empty if it ended on its own.
    std::string stopped = {};

    [[nodiscard]] bool ok() const noexcept { return exit_status == 0; }
};

class ProcessRunner {
  public:
    ProcessRunner() = default;
    ProcessRunner(const ProcessRunner&) = delete;
    ProcessRunner& operator=(const ProcessRunner&) = delete;
    virtual ~ProcessRunner() = default;

    /// Runs to the end. Throws SystemError when the program cannot be started at all, Interrupted
    /// when interruption was requested while it ran (the child is ended first).
    virtual ProcessResult run(const Command& command) = 0;
    /// run() that throws ProcessError unless the exit status is 0; returns the output.
    std::string run_checked(const Command& command);
};

/// "WHAT failed with exit code N", or "WHAT was stopped: it ran longer than 60 s", and the last
/// lines of its output as details.
class ProcessError : public ErrorOfKind<ProcessError> {
  public:
    ProcessError(const std::string& what, const ProcessResult& result);

    [[nodiscard]] int exit_status() const noexcept { return exit_status_; }

  private:
    int exit_status_;
};

/// The last `count` lines of a text.
[[nodiscard]] std::vector<std::string> last_lines(std::string_view text, std::size_t count = 20);

class SystemProcessRunner final : public ProcessRunner {
  public:
    ProcessResult run(const Command& command) override;
};

/// How a child is prepared between fork and exec; runs in the child, must not allocate or throw
/// after a fork from a threaded process. Returning non-zero makes the start fail with that errno.
using ChildSetup = std::function<int()>;

/// How the engine starts a child.
struct ChildStart {
    ChildSetup setup = {};
    /// A program that starts the command's in its turn: it gets the number of a descriptor for
    /// failures (see sandbox/sandbox_init.cpp), then the command's program and arguments. -1: none.
    int launcher = -1;
};

/// The engine under SystemProcessRunner and Sandbox: forks, prepares, execs, captures. A child has
/// descriptors 0, 1 and 2 and no other.
[[nodiscard]] ProcessResult run_child(const Command& command, const ChildStart& start);

/// What exec gets for a command's program: execvpe(3) would search in the PATH of kiln's caller.
/// Throws SystemError when there is none.
[[nodiscard]] std::string program_to_start(const Command& command);

/// "128 + 9" -> "signal 9 (Killed)", else "exit code N".
[[nodiscard]] std::string describe_exit(int exit_status);

} // namespace kiln
