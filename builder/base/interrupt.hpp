// SPDX-License-Identifier: MIT
//
// SIGINT, SIGTERM and SIGHUP as a flag that long work looks at. Signals cannot carry state, so this
// is the one piece of process-wide state in kiln. Also what else a process has of whoever started
// it, and must not depend on: closed standard descriptors, ignored and blocked signals.
#pragma once

namespace kiln {

/// Opens those of the descriptors 0, 1 and 2 that are closed, so that no file which is opened later
/// gets what is meant for them. Writing to an absent standard output fails. Call it first of all.
void open_standard_descriptors();
/// Installs handlers for SIGINT, SIGTERM and SIGHUP (unless that is ignored, as nohup does); a
/// second signal ends the process at once. A file beyond the size limit becomes an error, and
/// children can be waited for, whatever the caller ignored or blocked.
void install_interrupt_handlers();
/// In a forked child before exec: every signal as a program expects it, none ignored or blocked.
/// Only makes system calls.
void reset_signals() noexcept;
[[nodiscard]] bool interrupt_requested() noexcept;
/// Throws Interrupted once a signal has come. Call it in every long loop.
void throw_if_interrupted();
/// For tests and for handlers of other kinds.
void request_interrupt() noexcept;
void clear_interrupt() noexcept;

/// While it lives, an interruption that came before does not stop the children that clean up; a
/// new one does. The old one counts again afterwards.
class InterruptPause {
  public:
    InterruptPause() noexcept : was_requested_(interrupt_requested()) { clear_interrupt(); }

    InterruptPause(const InterruptPause&) = delete;
    InterruptPause& operator=(const InterruptPause&) = delete;

    ~InterruptPause() {
        if (was_requested_) {
            request_interrupt();
        }
    }

  private:
    bool was_requested_;
};

} // namespace kiln
