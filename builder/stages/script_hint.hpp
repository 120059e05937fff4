// SPDX-License-Identifier: MIT
//
// What to try when a script has failed.
#pragma once

#include "base/process/process.hpp"

#include <string>

namespace kiln {

/// For a script of a recipe or a definition that failed in a sandbox: that there is no network,
/// when its output says that it looked for one; how to see its commands, when it printed nothing.
/// Empty otherwise.
[[nodiscard]] std::string hint_of_failed_script(const ProcessResult& result);

} // namespace kiln
