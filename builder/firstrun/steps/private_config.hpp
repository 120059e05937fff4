// SPDX-License-Identifier: MIT
//
// PrivatePAUSE.pm: what this copy of PAUSE knows and no other does.
#pragma once

#include "firstrun/answers/answers.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace kiln::firstrun {

struct DatabasePasswords {
    std::string mod;
    std::string authen;
};

/// From a file that first-run wrote. Only letters and digits are taken: the text goes into SQL, and
/// the user pause may write the file.
[[nodiscard]] std::optional<DatabasePasswords> parse_passwords(std::string_view config);

[[nodiscard]] std::string render_private_config(
    const Answers& answers, const DatabasePasswords& passwords, const std::string& signing_key);

} // namespace kiln::firstrun
