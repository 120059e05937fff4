// SPDX-License-Identifier: MIT
#include "base/process/process.hpp"

#include "base/interrupt.hpp"
#include "base/io/file.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>
#include <span>

namespace kiln {

namespace {

struct Pipe {
    UniqueFd read_end;
    UniqueFd write_end;

    static Pipe open() {
        std::array<int, 2> fds{};
        if (::pipe2(fds.data(), O_CLOEXEC) != 0) {
            throw SystemError("cannot create a pipe");
        }
        return {UniqueFd(fds[0]), UniqueFd(fds[1])};
    }
};

std::vector<char*> c_pointers(const std::vector<std::string>& strings) {
    std::vector<char*> out;
    for (const std::string& text : strings) {
        out.push_back(const_cast<char*>(text.c_str())); // exec's old signature
    }
    out.push_back(nullptr);
    return out;
}

/// Everything the child needs, allocated before the fork.
struct ExecImage {
    std::vector<std::string> argv_text;
    std::vector<std::string> env_text;
    std::vector<char*> argv;
    std::vector<char*> envp;
    std::string program;
    std::string cwd;
    int launcher;

    ExecImage(const Command& command, const ChildStart& start, int failure)
        : cwd(command.cwd.string()), launcher(start.launcher) {
        if (launcher >= 0) { // which looks for the program where it is to run
            argv_text = {"kiln-init", std::to_string(failure)};
        } else {
            program = program_to_start(command);
        }
        argv_text.push_back(command.program);
        argv_text.insert(argv_text.end(), command.args.begin(), command.args.end());
        const Environment& env = command.env.empty() ? clean_environment() : command.env;
        for (const auto& [name, value] : env) {
            env_text.push_back(fmt::format("{}={}", name, value));
        }
        argv = c_pointers(argv_text);
        envp = c_pointers(env_text);
    }
};

struct Pipes {
    Pipe input = Pipe::open();
    Pipe output = Pipe::open();
    Pipe errors = Pipe::open();
    Pipe failure = Pipe::open(); ///< carries errno when the child cannot exec
};

[[noreturn]] void
run_in_child(const ExecImage& image, Pipes& pipes, bool separate, const ChildSetup& setup) {
    const auto fail = [&](int error) {
        static_cast<void>(!::write(pipes.failure.write_end.get(), &error, sizeof error));
        ::_exit(127);
    };
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::setpgid(0, 0);
    reset_signals();
    ::dup2(pipes.input.read_end.get(), STDIN_FILENO);
    ::dup2(pipes.output.write_end.get(), STDOUT_FILENO);
    ::dup2((separate ? pipes.errors : pipes.output).write_end.get(), STDERR_FILENO);
    // Whatever the caller had open stays here.
    ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    if (setup) {
        if (const int error = setup(); error != 0) {
            fail(error);
        }
    }
    if (!image.cwd.empty() && ::chdir(image.cwd.c_str()) != 0) {
        fail(errno);
    }
    if (image.launcher >= 0) {
        ::fcntl(pipes.failure.write_end.get(), F_SETFD, 0);
        ::syscall(
            SYS_execveat, image.launcher, "", image.argv.data(), image.envp.data(), AT_EMPTY_PATH);
    } else {
        ::execvpe(image.program.c_str(), image.argv.data(), image.envp.data());
    }
    fail(errno);
    ::_exit(127);
}

/// Passes output on up to its last newline.
class WholeLines {
  public:
    explicit WholeLines(const std::function<void(std::string_view)>& on_lines)
        : on_lines_(on_lines) {}

    void feed(std::string_view text) {
        const std::size_t newline = text.rfind('\n');
        if (!on_lines_) {
            return;
        }
        if (newline == std::string_view::npos) {
            pending_ += text;
            return;
        }
        const std::string_view whole = text.substr(0, newline + 1);
        if (pending_.empty()) {
            on_lines_(whole);
        } else {
            pending_ += whole;
            on_lines_(pending_);
        }
        pending_ = text.substr(newline + 1);
    }

    void finish() {
        if (on_lines_ && !pending_.empty()) {
            on_lines_(pending_);
        }
    }

  private:
    const std::function<void(std::string_view)>& on_lines_;
    std::string pending_;
};

/// Feeds and drains a child's pipes until both outputs are closed.
class Pump {
  public:
    enum class End { closed, interrupted, stopped };

    Pump(const Command& command, Pipes& pipes, pid_t child)
        : command_(command), pipes_(pipes), child_(child), lines_(command.on_lines) {
        ::fcntl(pipes_.input.write_end.get(), F_SETFL, O_NONBLOCK);
    }

    End run(ProcessResult& result) {
        while (pipes_.output.read_end.is_open() || pipes_.errors.read_end.is_open()) {
            if (interrupt_requested()) {
                return End::interrupted;
            }
            if (must_stop(result)) {
                lines_.finish();
                return End::stopped;
            }
            std::array<pollfd, 3> fds{{
                {pipes_.output.read_end.get(), POLLIN, 0},
                {pipes_.errors.read_end.get(), POLLIN, 0},
                {pipes_.input.write_end.get(), POLLOUT, 0},
            }};
            if (::poll(fds.data(), fds.size(), kTick.count()) < 0 && errno != EINTR) {
                throw SystemError("cannot wait for the output of a child process");
            }
            feed_input(fds[2].revents);
            drain(pipes_.output.read_end, fds[0].revents, result.output, true);
            drain(pipes_.errors.read_end, fds[1].revents, result.errors, false);
        }
        lines_.finish();
        return wait_for_end(result);
    }

  private:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::duration<int, std::milli> kTick{500};

    /// A child may close its output and go on.
    End wait_for_end(ProcessResult& result) {
        const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, child_, 0)));
        pollfd fd{process.get(), POLLIN, 0};
        while (process.is_open() && ::poll(&fd, 1, kTick.count()) <= 0) {
            if (interrupt_requested()) {
                return End::interrupted;
            }
            if (must_stop(result)) {
                return End::stopped;
            }
        }
        return End::closed;
    }

    bool must_stop(ProcessResult& result) {
        const auto now = Clock::now();
        if (command_.timeout.count() > 0 && now - start_ >= command_.timeout) {
            result.timed_out = true;
            result.stopped = fmt::format("it ran longer than {} s", command_.timeout.count());
        } else if (result.output.size() + result.errors.size() > command_.output_limit) {
            result.stopped =
                fmt::format("it printed more than {}", format_size(command_.output_limit));
        } else if (command_.watch && now - watched_ >= kTick) {
            watched_ = now;
            result.stopped = command_.watch(child_);
        }
        return !result.stopped.empty();
    }

    void feed_input(short events) {
        if (fed_ == command_.input.size() || (events & (POLLERR | POLLHUP)) != 0) {
            pipes_.input.write_end.reset();
        } else if ((events & POLLOUT) != 0) {
            const ssize_t count = ::write(
                pipes_.input.write_end.get(),
                command_.input.data() + fed_,
                command_.input.size() - fed_);
            fed_ += count > 0 ? static_cast<std::size_t>(count) : 0;
        }
    }

    void drain(UniqueFd& fd, short events, std::string& into, bool to_lines) {
        if (!fd.is_open() || (events & (POLLIN | POLLHUP | POLLERR)) == 0) {
            return;
        }
        std::array<char, 65536> buffer{};
        const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
        if (count > 0) {
            const std::string_view text(buffer.data(), static_cast<std::size_t>(count));
            into += text;
            if (to_lines) {
                lines_.feed(text);
            }
        } else if (count == 0 || errno != EINTR) {
            fd.reset();
        }
    }

    const Command& command_;
    Pipes& pipes_;
    pid_t child_;
    WholeLines lines_;
    Clock::time_point start_ = Clock::now();
    Clock::time_point watched_ = start_;
    std::size_t fed_ = 0;
};

int wait_for(pid_t pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            throw SystemError("cannot wait for a child process");
        }
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// How long a child may take to end that was asked to. The first process of a sandbox ends as fast
/// as the kernel can, which for thousands of processes and much memory takes its time.
constexpr std::chrono::seconds kGrace{2};
constexpr std::chrono::seconds kGraceOfSandbox{60};

void end_group(pid_t pid, std::chrono::milliseconds grace) {
    ::kill(-pid, SIGTERM);
    ::kill(pid, SIGTERM);
    for (auto i = grace / 100; i.count() > 0; --i) {
        int status = 0;
        if (::waitpid(pid, &status, WNOHANG) == pid) {
            ::kill(-pid, SIGKILL);
            return;
        }
        ::poll(nullptr, 0, 100);
    }
    ::kill(-pid, SIGKILL);
    ::kill(pid, SIGKILL);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
}

} // namespace

std::string program_to_start(const Command& command) {
    if (command.program.find('/') != std::string::npos) {
        return command.program;
    }
    std::string found = find_program(command.program, command.env).string();
    if (found.empty()) {
        throw SystemError(fmt::format("cannot start '{}'", command.program), ENOENT);
    }
    return found;
}

ProcessResult run_child(const Command& command, const ChildStart& start) {
    Pipes pipes;
    const ExecImage image(command, start, pipes.failure.write_end.get());
    const pid_t pid = ::fork();
    if (pid < 0) {
        throw SystemError(fmt::format("cannot start '{}'", command.program));
    }
    if (pid == 0) {
        run_in_child(image, pipes, command.separate_stderr, start.setup);
    }
    pipes.input.read_end.reset();
    pipes.output.write_end.reset();
    pipes.errors.write_end.reset();
    pipes.failure.write_end.reset();

    const std::chrono::seconds grace = start.launcher >= 0 ? kGraceOfSandbox : kGrace;
    ProcessResult result;
    try {
        if (Pump(command, pipes, pid).run(result) == Pump::End::interrupted) {
            throw Interrupted();
        }
    } catch (...) {
        end_group(pid, grace);
        throw;
    }
    if (!result.stopped.empty()) {
        end_group(pid, grace);
        result.exit_status = 128 + SIGKILL;
        return result;
    }
    result.exit_status = wait_for(pid);
    int exec_error = 0;
    if (read_some(
            pipes.failure.read_end.get(),
            std::as_writable_bytes(std::span(&exec_error, 1)),
            "pipe") == sizeof exec_error) {
        throw SystemError(fmt::format("cannot start '{}'", command.program), exec_error);
    }
    return result;
}

ProcessResult SystemProcessRunner::run(const Command& command) {
    return run_child(command, {});
}

std::string ProcessRunner::run_checked(const Command& command) {
    ProcessResult result = run(command);
    if (!result.ok()) {
        throw ProcessError(fmt::format("'{}'", command.program), result);
    }
    return std::move(result.output);
}

std::string describe_exit(int exit_status) {
    const int number = exit_status - 128;
    if (number > 0 && number <= SIGRTMAX) { // what is above is a program's own, such as perl's 255
        return fmt::format("signal {} ({})", number, ::strsignal(number));
    }
    return fmt::format("exit code {}", exit_status);
}

ProcessError::ProcessError(const std::string& what, const ProcessResult& result)
    : ErrorOfKind(
          !result.stopped.empty()
              ? fmt::format("{} was stopped: {}", what, result.stopped)
              : fmt::format("{} failed with {}", what, describe_exit(result.exit_status))),
      exit_status_(result.exit_status) {
    set_details(last_lines(result.output + result.errors));
}

std::vector<std::string> last_lines(std::string_view text, std::size_t count) {
    std::string_view above = text.substr(0, text.ends_with('\n') ? text.size() - 1 : text.size());
    std::size_t begin = text.size();
    for (; count > 0 && begin > 0; --count) {
        const std::size_t newline = above.rfind('\n');
        begin = newline == std::string_view::npos ? 0 : newline + 1;
        above = above.substr(0, begin == 0 ? 0 : newline);
    }
    return split_lines(text.substr(begin));
}

} // namespace kiln
