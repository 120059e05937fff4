// SPDX-License-Identifier: MIT
//
// What a run found and did, for people and for programs; never the value of a secret.
#pragma once

#include "firstrun/steps/steps.hpp"

#include <iosfwd>
#include <string>
#include <vector>

namespace kiln::firstrun {

struct StepResult {
    std::string name;
    double seconds = 0;
    Reasons reasons;
};

struct RunResult {
    bool done = false;
    std::string error;
    std::vector<StepResult> steps;
};

/// /run/pause/first-run.json of this boot.
void write_run_status(Context& context, const RunResult& result);

/// How to log in, without the password.
[[nodiscard]] std::string login_hint(const Host& host, const Answers& answers);

enum class Format { text, json };
void print_status(Host& host, Format format, std::ostream& out);

} // namespace kiln::firstrun
