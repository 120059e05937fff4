// SPDX-License-Identifier: MIT
#include "firstrun/host/launcher.hpp"

#include "base/io/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <optional>

namespace kiln::firstrun {

namespace {

/// Becomes `user`. A change of user clears the parent-death signal, so it is set again.
int become(const Account* user) {
    ::umask(022);
    if (user != nullptr && ::geteuid() != user->uid) {
        if (::setgroups(user->groups.size(), user->groups.data()) != 0 ||
            ::setgid(user->gid) != 0 || ::setuid(user->uid) != 0) {
            return errno;
        }
    }
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    return 0;
}

Command with_environment(const Command& command, const Account* user) {
    Command out = command;
    Environment env = clean_environment();
    if (user != nullptr) {
        env["HOME"] = user->home;
        env["USER"] = user->name;
        env["LOGNAME"] = user->name;
    }
    for (const auto& [name, value] : command.env) {
        env[name] = value;
    }
    out.env = std::move(env);
    if (out.cwd.empty()) {
        out.cwd = "/";
    }
    return out;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> out;
    for (std::string& text : strings) {
        out.push_back(text.data());
    }
    out.push_back(nullptr);
    return out;
}

class SystemServer final : public Server {
  public:
    explicit SystemServer(pid_t pid) : pid_(pid) {}

    ~SystemServer() override {
        if (is_running()) {
            ::kill(pid_, SIGKILL);
            while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
            }
        }
    }

    SystemServer(const SystemServer&) = delete;
    SystemServer& operator=(const SystemServer&) = delete;

    bool is_running() override {
        int status = 0;
        if (!ended_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
            ended_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        }
        return !ended_;
    }

    int stop(std::chrono::seconds patience) override {
        const auto end = std::chrono::steady_clock::now() + patience;
        if (is_running()) {
            ::kill(pid_, SIGTERM);
        }
        while (is_running()) {
            if (std::chrono::steady_clock::now() > end) {
                ::kill(pid_, SIGKILL);
            }
            ::poll(nullptr, 0, 10);
        }
        return *ended_;
    }

  private:
    pid_t pid_;
    std::optional<int> ended_;
};

} // namespace

ProcessResult SystemLauncher::run(const Command& command, const Account* user) {
    return run_child(with_environment(command, user), {.setup = [user] { return become(user); }});
}

std::unique_ptr<Server> SystemLauncher::start(
    const Command& command, const Account* user, const std::filesystem::path& log) {
    const Command full = with_environment(command, user);
    std::vector<std::string> argv_text{full.program};
    argv_text.insert(argv_text.end(), full.args.begin(), full.args.end());
    std::vector<std::string> env_text;
    for (const auto& [name, value] : full.env) {
        env_text.push_back(fmt::format("{}={}", name, value));
    }
    const std::vector<char*> argv = pointers(argv_text);
    const std::vector<char*> envp = pointers(env_text);
    const UniqueFd output = open_file(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const UniqueFd input = open_file("/dev/null", O_RDONLY);
    const pid_t pid = ::fork();
    if (pid < 0) {
        throw SystemError(fmt::format("cannot start '{}'", command.program));
    }
    if (pid == 0) {
        ::setpgid(0, 0);
        ::signal(SIGPIPE, SIG_DFL);
        ::signal(SIGINT, SIG_DFL);
        ::signal(SIGTERM, SIG_DFL);
        ::dup2(input.get(), STDIN_FILENO);
        ::dup2(output.get(), STDOUT_FILENO);
        ::dup2(output.get(), STDERR_FILENO);
        if (become(user) != 0 || ::chdir("/") != 0) {
            ::_exit(126);
        }
        ::execvpe(argv[0], argv.data(), envp.data());
        ::_exit(127);
    }
    return std::make_unique<SystemServer>(pid);
}

} // namespace kiln::firstrun
