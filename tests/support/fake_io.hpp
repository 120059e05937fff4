// SPDX-License-Identifier: MIT
//
// A fake environment in which tests run the real command line.
#pragma once

#include "cli/app.hpp"
#include "support/fake_process_runner.hpp"

#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace kiln::test {

struct CliResult {
    int exit_code = 0;
    std::string out;
    std::string err;
};

struct FakeHost {
    std::string input;
    Environment env;
    FakeProcessRunner processes;

    CliResult run(std::vector<std::string> words) {
        std::istringstream in(input);
        std::ostringstream out;
        std::ostringstream err;
        Io io{
            .in = in,
            .out = out,
            .err = err,
            .terminal = false,
            .width = 80,
            .env = env,
            .processes = processes,
            .program = KILN_PROGRAM};
        const int code = run_cli(words, io);
        return {code, out.str(), err.str()};
    }
};

inline CliResult run_kiln(std::vector<std::string> words) {
    return FakeHost().run(std::move(words));
}

} // namespace kiln::test
