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

} // namespace kiln
