// SPDX-License-Identifier: MIT
#include "firstrun/host/report.hpp"

#include <fmt/format.h>

#include <ostream>

namespace kiln::firstrun {

void Report::step_done(std::string_view step, double seconds, std::string_view what) {
    to_ << fmt::format("first-run: {}: {} ({:.2f}s)", step, what, seconds) << std::endl;
}

void Report::notice(std::string_view text) {
    to_ << "first-run: " << text << std::endl;
}

void Report::warning(std::string_view text) {
    to_ << "first-run: warning: " << text << std::endl;
}

} // namespace kiln::firstrun
