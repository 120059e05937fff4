// SPDX-License-Identifier: MIT
//
// From what a recipe wants to exact packages, by apt's own solver: a child process in a private apt
// directory that sees nothing of the host's configuration, and trusts the named keyrings only.
// Knows no recipe; what it needs comes in as plain values.
#pragma once

#include "base/console.hpp"
#include "base/process/process.hpp"
#include "resolve/solve_request.hpp"

namespace kiln {

/// Updates the lists and solves stage after stage. Throws Error: bad signatures and unreachable
/// archives in apt's own words; unknown packages (exit code 3, all at once, with suggestions);
/// conflicts in apt's own words; kept versions that are gone.
[[nodiscard]] SolveResult
solve(const SolveRequest& request, ProcessRunner& runner, Console& console);

} // namespace kiln
