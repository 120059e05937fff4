// SPDX-License-Identifier: MIT
//
// JSON that a registry sent: a single entry point, so that whatever is wrong with it ends as an
// Error of kiln's own (exit code 5) and its text reaches no terminal as it is.
#pragma once

#include "base/error.hpp"
#include "oci/oci_model.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace kiln {

/// Levels of arrays and objects; a manifest needs four.
inline constexpr unsigned kDeepestRemoteJson = 32;

[[nodiscard]] Error remote_error(std::string message);

/// Parses `text` and hands it to `read`, which may use whatever throws on missing keys and wrong
/// types: that, bad syntax, text that is not valid UTF-8 and too deep nesting end as Error "WHAT is
/// not valid: ..." (exit code 5).
void read_remote_json(
    std::string_view text,
    const std::string& what,
    const std::function<void(const nlohmann::ordered_json&)>& read);

/// descriptor_from_json() for use in `read`; throws Error also when the size is not a unsigned
/// number or more than `most`.
[[nodiscard]] OciDescriptor
remote_descriptor(const nlohmann::ordered_json& value, std::uint64_t most);

} // namespace kiln
