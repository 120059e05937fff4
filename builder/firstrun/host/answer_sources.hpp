// SPDX-License-Identifier: MIT
//
// The places that answers come from, the strongest first: environment, /run/secrets, systemd
// credentials, config drive, cloud-init's user-data, the answers remembered on the data volume, the
// image's own file.
#pragma once

#include "firstrun/answers/answers.hpp"
#include "firstrun/host/host.hpp"

namespace kiln::firstrun {

/// Reads all of them. The remembered ones are there only once the data volume is mounted.
[[nodiscard]] std::vector<AnswerSource>
read_sources(Host& host, const Environment& env, Mode mode, Faults& faults);

/// read_sources(), Answers::choose() and check_together(); throws Error (exit code 3) on faults.
[[nodiscard]] Answers gather_answers(Host& host, const Environment& env, Mode mode);

/// PAUSE_KEY and PAUSE_KEY_FILE. Variables of PAUSE itself and those that orchestrators set for a
/// service named "pause" are passed over.
[[nodiscard]] AnswerSource
from_environment(const Host& host, const Environment& env, Faults& faults);

} // namespace kiln::firstrun
