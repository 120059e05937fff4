// SPDX-License-Identifier: MIT
#include "base/interrupt.hpp"

#include "base/error.hpp"

#include <unistd.h>

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

} // namespace

void install_interrupt_handlers() {
    struct sigaction action{};
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    // No SA_RESTART: a blocking read or poll must return so that the flag is seen.
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
    struct sigaction ignore{};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &ignore, nullptr);
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
