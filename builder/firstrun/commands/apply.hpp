// SPDX-License-Identifier: MIT
//
// A whole run: answers, volume, answers again (the volume remembers some), the steps in order.
#pragma once

#include "firstrun/answers/answers.hpp"
#include "firstrun/host/host.hpp"

#include <iosfwd>

namespace kiln::firstrun {

/// Does what is needed. Throws Error; what was done until then is in the journal.
void apply(Host& host, const Environment& env, Mode mode, std::ostream& err);

/// Prints what apply() would do, and why. Changes nothing.
void plan(Host& host, const Environment& env, Mode mode, std::ostream& out, std::ostream& err);

} // namespace kiln::firstrun
