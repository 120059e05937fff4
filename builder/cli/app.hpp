// SPDX-License-Identifier: MIT
//
// The program as a function of its arguments and its services.
#pragma once

#include "cli/io.hpp"

#include <span>
#include <string>

namespace kiln {

/// Runs one command line (without the program's name) and returns the process's exit code. The only
/// place where exceptions end.
[[nodiscard]] int run_cli(std::span<const std::string> words, Io& io);

/// The same with the real environment: standard streams, environment, signals, child processes.
[[nodiscard]] int run_on_system(int count, char** arguments);

} // namespace kiln
