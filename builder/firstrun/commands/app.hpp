// SPDX-License-Identifier: MIT
//
// The command line of first-run.
#pragma once

#include "firstrun/host/launcher.hpp"

#include <iosfwd>
#include <string>
#include <vector>

namespace kiln::firstrun {

/// What a run may touch: tests give their own.
struct AppContext {
    std::string root; ///< before every path; "/" for real
    Launcher& launcher;
    Environment env;
    std::ostream& out;
    std::ostream& err;
};

/// Never throws; returns the exit code.
int run_first_run(const std::vector<std::string>& args, AppContext app);

} // namespace kiln::firstrun
