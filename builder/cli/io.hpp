// SPDX-License-Identifier: MIT
//
// The environment of a command, injected: tests pass a fake one and run the real command line with
// it.
#pragma once

#include "base/process/process.hpp"

#include <filesystem>
#include <iosfwd>

namespace kiln {

struct Io {
    std::istream& in;
    std::ostream& out;     ///< results
    std::ostream& err;     ///< messages; written by the Console only
    bool terminal = false; ///< `err` is one
    int width = 80;        ///< columns of the terminal
    Environment env;       ///< of the caller: HOME, KILN_MIRROR and so on
    ProcessRunner& processes;
    std::filesystem::path program; ///< the running program, beside which its definitions are
};

} // namespace kiln
