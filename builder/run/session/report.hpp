// SPDX-License-Identifier: MIT
//
// What checks found, for people and programs: TAP 14, JUnit XML, JSON.
#pragma once

#include "run/session/checks.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace kiln {

struct CheckCounts {
    std::size_t passed = 0;
    std::size_t failed = 0;
    std::size_t skipped = 0;
};

[[nodiscard]] CheckCounts count_outcomes(const std::vector<CheckResult>& results);

/// The version and the plan.
[[nodiscard]] std::string tap_head(std::size_t count);
/// One test point with its diagnostics; `number` counts from 1.
[[nodiscard]] std::string tap_point(std::size_t number, const CheckResult& result);

/// As Jenkins and similar tools read it.
[[nodiscard]] std::string
junit_xml(std::string_view suite, InstanceKind kind, const std::vector<CheckResult>& results);

[[nodiscard]] nlohmann::ordered_json
results_json(std::string_view suite, InstanceKind kind, const std::vector<CheckResult>& results);

} // namespace kiln
