// SPDX-License-Identifier: MIT
//
// Runs the checks of a suite, and the setups they need, and says how each ended. What running a
// script means is the caller's business.
#pragma once

#include "run/scripts.hpp"
#include "run/suite.hpp"

#include <functional>
#include <string>
#include <vector>

namespace kiln {

enum class Outcome { passed, failed, skipped };

struct CheckResult {
    std::string id;
    std::string title;
    Outcome outcome = Outcome::passed;
    std::string message; ///< why it failed or was skipped, in one line
    std::string output;  ///< what its script (or the setup's that failed) printed
    double seconds = 0;
};

struct CheckOptions {
    InstanceKind kind = InstanceKind::container;
    std::string source;              ///< what the suite's script said
    std::vector<std::string> wanted; ///< ids; empty: all
    int slowness = 1;                ///< times are multiplied by it
};

using RunScript = std::function<ScriptResult(
    const std::string& name, const std::string& text, Milliseconds timeout)>;

/// The checks that `wanted` names, in the order of the suite. Throws UsageError for an unknown id.
[[nodiscard]] std::vector<const CheckSpec*>
choose_checks(const Suite& suite, const std::vector<std::string>& wanted);

/// `on_start` and `on_result` are called around each. Throws only what `run` throws.
std::vector<CheckResult> run_checks(
    const Suite& suite,
    const CheckOptions& options,
    const RunScript& run,
    const std::function<void(const CheckSpec&)>& on_start,
    const std::function<void(const CheckResult&)>& on_result);

/// A script that ends with this status has looked and found that it does not apply.
constexpr int kSkipStatus = 77;

} // namespace kiln
