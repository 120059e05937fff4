// SPDX-License-Identifier: MIT
//
// What is in an open directory, by descriptor: nothing that a link points to is ever touched.
#pragma once

#include <string>
#include <vector>

namespace kiln {

/// Names in an open directory, sorted. Throws SystemError.
[[nodiscard]] std::vector<std::string> names_in(int directory);

/// Removes `name` in an open directory with all below it, however deep, following nothing. What is
/// not there is fine. Throws SystemError.
void remove_all_at(int directory, const std::string& name);

} // namespace kiln
