// SPDX-License-Identifier: MIT
#include "base/interrupt.hpp"

#include "base/error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace kiln {

namespace {

volatile std::sig_atomic_t g_requested = 0;

void on_signal(int) {
    if (g_requested != 0) {
        ::_exit(static_cast<int>(ExitCode::interrupted));
    }
    g_requested = 1;
}

void set_action(int signal, void (*handler)(int)) {
    struct sigaction action{};
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    // No SA_RESTART: a blocking read or poll must return so that the flag is seen.
    ::sigaction(signal, &action, nullptr);
}

bool is_ignored(int signal) {
    struct sigaction action{};
    return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

} // namespace

void open_standard_descriptors() {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
            // The lowest free descriptor is this one: those below are open by now.
            static_cast<void>(::open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_RDWR));
        }
    }
}

void install_interrupt_handlers() {
    set_action(SIGINT, on_signal);
    set_action(SIGTERM, on_signal);
    if (!is_ignored(SIGHUP)) {
        set_action(SIGHUP, on_signal);
    }
    set_action(SIGPIPE, SIG_IGN);
    set_action(SIGXFSZ, SIG_IGN); // the write fails and says so
    set_action(SIGCHLD, SIG_DFL); // where it is ignored no child can be waited for
    sigset_t none{};
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void reset_signals() noexcept {
    for (int signal = 1; signal <= SIGRTMAX; ++signal) {
        set_action(signal, SIG_DFL); // fails for those that cannot be changed
    }
    sigset_t none{};
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool interrupt_requested() noexcept {
    return g_requested != 0;
}

void throw_if_interrupted() {
    if (interrupt_requested()) {
        throw Interrupted();
    }
}

void request_interrupt() noexcept {
    g_requested = 1;
}

void clear_interrupt() noexcept {
    g_requested = 0;
}

} // namespace kiln
