// SPDX-License-Identifier: MIT
//
// JSON that a server sent: a single entry point, so that whatever is wrong with it ends as an
// Error of kiln's own (exit code 5) and its text reaches no terminal as it is.
#pragma once

#include "base/error.hpp"

#include <nlohmann/json_fwd.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace kiln {

/// Levels of arrays and objects; an image manifest needs four, an image of DigitalOcean's six.
inline constexpr unsigned kDeepestRemoteJson = 32;

[[nodiscard]] Error remote_error(std::string message);

/// Parses `text` and hands it to `read`, which may use whatever throws on missing keys and wrong
/// types: that, bad syntax, text that is not valid UTF-8 and too deep nesting end as Error "WHAT is
/// not valid: ..." (exit code 5).
void read_remote_json(
    std::string_view text,
    const std::string& what,
    const std::function<void(const nlohmann::ordered_json&)>& read);

} // namespace kiln
