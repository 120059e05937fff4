// SPDX-License-Identifier: MIT
//
// Answers in YAML: the map `pause:` of a file. Faults carry file, line and column, and no text of
// the file, since that may be secret.
#pragma once

#include "firstrun/answers/answers.hpp"

namespace kiln::firstrun {

/// What else may stand beside `pause:` at the top.
enum class OtherKeys { refused, ignored };

[[nodiscard]] std::vector<GivenAnswer>
parse_answers(const std::string& file, const std::string& text, OtherKeys others, Faults& faults);

} // namespace kiln::firstrun
