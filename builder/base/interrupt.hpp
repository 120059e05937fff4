// SPDX-License-Identifier: MIT
//
// SIGINT and SIGTERM as a flag that long work looks at. Signals cannot carry state, so this is the
// one piece of process-wide state in kiln.
#pragma once

namespace kiln {

/// Installs handlers for SIGINT and SIGTERM; a second signal ends the process at once.
void install_interrupt_handlers();
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
