// SPDX-License-Identifier: MIT
//
// Process 1 of every sandbox: a separate static program, started in place of the copy of kiln
// that set the sandbox up, so that nothing of kiln's memory and environment is in there. It starts
// the program, reaps what is left over and ends with the program's status.
//
//     kiln-init FAILURE-DESCRIPTOR PROGRAM [ARGUMENT...]
//
// When the program cannot be started its errno goes to the descriptor, as an int.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

namespace {

constexpr int kCannotStart = 127;

[[noreturn]] void start(int failure, char** program) {
    ::setsid();
    ::fcntl(failure, F_SETFD, FD_CLOEXEC);
    ::execvp(program[0], program);
    const int error = errno;
    static_cast<void>(!::write(failure, &error, sizeof error));
    ::_exit(kCannotStart);
}

[[noreturn]] void wait_for(pid_t program) {
    // An open descriptor here would keep the output's pipe from ever ending.
    ::close_range(0, ~0U, 0);
    while (true) {
        int status = 0;
        const pid_t ended = ::waitpid(-1, &status, 0);
        if (ended == program) {
            ::_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
        }
        if (ended < 0 && errno != EINTR) {
            ::_exit(kCannotStart);
        }
    }
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        return kCannotStart;
    }
    const pid_t program = ::fork();
    if (program == 0) {
        start(std::atoi(argv[1]), argv + 2);
    }
    // That the roots of process 1 and of a script differ is how ischroot(1) and systemd know that
    // no system runs here; libc6's postinst would else restart an init.
    if (program < 0 || ::chroot("/proc") != 0 || ::chdir("/") != 0) {
        return kCannotStart;
    }
    wait_for(program);
}
