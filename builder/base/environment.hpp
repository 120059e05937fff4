// SPDX-License-Identifier: MIT
//
// Environment variables: of this process, or of a map that stands for one.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace kiln {

using Environment = std::map<std::string, std::string>;

/// The value of a variable; "" when it is unset.
[[nodiscard]] std::string variable(const Environment& env, const std::string& name);

/// Looks up an environment variable; nothing when it is unset.
using EnvLookup = std::function<std::optional<std::string>(std::string_view name)>;

/// Looks in `env`, which must outlive the result.
[[nodiscard]] EnvLookup lookup_in(const Environment& env);

/// A variable of this process.
[[nodiscard]] std::optional<std::string> process_env(std::string_view name);

} // namespace kiln
