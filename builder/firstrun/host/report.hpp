// SPDX-License-Identifier: MIT
//
// What people see while first-run works: one line a step on stderr. Never a secret.
#pragma once

#include <iosfwd>
#include <string_view>

namespace kiln::firstrun {

class Report {
  public:
    explicit Report(std::ostream& to) : to_(to) {}

    void step_done(std::string_view step, double seconds, std::string_view what);
    void notice(std::string_view text);
    void warning(std::string_view text);

  private:
    std::ostream& to_;
};

} // namespace kiln::firstrun
