// SPDX-License-Identifier: MIT
#include "base/process/background_process.hpp"

#include "base/interrupt.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

namespace kiln {

namespace {

/// Strings and the pointers to them that exec wants, made before the fork.
class PointerList {
  public:
    explicit PointerList(std::vector<std::string> texts) : texts_(std::move(texts)) {
        for (std::string& text : texts_) {
            pointers_.push_back(text.data());
        }
        pointers_.push_back(nullptr);
    }

    [[nodiscard]] char* const* get() const noexcept { return pointers_.data(); }

  private:
    std::vector<std::string> texts_;
    std::vector<char*> pointers_;
};

PointerList arguments_of(const Command& command) {
    std::vector<std::string> out{command.program};
    out.insert(out.end(), command.args.begin(), command.args.end());
    return PointerList(std::move(out));
}

PointerList environment_of(const Command& command) {
    std::vector<std::string> out;
    for (const auto& [name, value] : command.env.empty() ? clean_environment() : command.env) {
        out.push_back(fmt::format("{}={}", name, value));
    }
    return PointerList(std::move(out));
}

} // namespace

BackgroundProcess::BackgroundProcess(const Command& command, const fs::path& log) {
    const std::string program = program_to_start(command);
    const PointerList arguments = arguments_of(command);
    const PointerList environment = environment_of(command);
    const std::string cwd = command.cwd.string();
    const UniqueFd output = open_file(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    const UniqueFd input = open_file("/dev/null", O_RDONLY);
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw SystemError("cannot create a pipe");
    }
    const UniqueFd read_end(ends[0]);
    UniqueFd write_end(ends[1]);
    pid_ = ::fork();
    if (pid_ < 0) {
        throw SystemError(fmt::format("cannot start '{}'", command.program));
    }
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::setpgid(0, 0);
        reset_signals();
        ::dup2(input.get(), STDIN_FILENO);
        ::dup2(output.get(), STDOUT_FILENO);
        ::dup2(output.get(), STDERR_FILENO);
        ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
        if (cwd.empty() || ::chdir(cwd.c_str()) == 0) {
            ::execvpe(program.c_str(), arguments.get(), environment.get());
        }
        const int error = errno;
        static_cast<void>(!::write(write_end.get(), &error, sizeof error));
        ::_exit(127);
    }
    write_end.reset();
    int error = 0;
    ssize_t got = 0;
    do {
        got = ::read(read_end.get(), &error, sizeof error);
    } while (got < 0 && errno == EINTR);
    if (got == sizeof error) {
        kill();
        throw SystemError(fmt::format("cannot start '{}'", command.program), error);
    }
}

BackgroundProcess::~BackgroundProcess() {
    kill();
}

std::optional<int> BackgroundProcess::exit_status() {
    int status = 0;
    if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
        status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    return status_;
}

bool BackgroundProcess::wait(std::chrono::milliseconds limit) {
    constexpr std::chrono::milliseconds kSlice{50};
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!exit_status()) {
        throw_if_interrupted();
        if (std::chrono::steady_clock::now() >= end) {
            return false;
        }
        std::this_thread::sleep_for(kSlice);
    }
    return true;
}

void BackgroundProcess::kill() noexcept {
    if (status_) {
        return;
    }
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    status_ = 128 + SIGKILL;
}

} // namespace kiln
