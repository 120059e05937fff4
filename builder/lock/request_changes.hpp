// SPDX-License-Identifier: MIT
//
// What differs between two requests, in words for people. Knows no recipe.
#pragma once

#include "lock/lockfile.hpp"

#include <string>
#include <vector>

namespace kiln {

/// "stage 'perl' of branch 'oci': package 'foo' was added", one line a difference; empty when the
/// requests are the same. The order of parts and of what they say counts, as apt's answer may hang
/// on it.
[[nodiscard]] std::vector<std::string> describe_request_changes(
    const std::vector<RequestPart>& before, const std::vector<RequestPart>& after);

} // namespace kiln
