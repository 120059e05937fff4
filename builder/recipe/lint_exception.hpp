// SPDX-License-Identifier: MIT
//
// The names of lint's rules: recipes make exceptions of them, the linter applies them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// A rule by name, for listings.
struct LintRule {
    std::string_view name;
    std::string_view summary;
};

/// Sorted by name.
[[nodiscard]] std::span<const LintRule> lint_rules();
[[nodiscard]] std::span<const std::string_view> lint_rule_names();

/// A file that may break a rule, because somebody says so.
struct LintException {
    std::string rule;
    std::string path; ///< without a leading slash; `*`, `?` and `[...]` represent parts of a name
};

} // namespace kiln
