// SPDX-License-Identifier: MIT
//
// Environment variables: of this process, of a map that represents one, and of what kiln starts.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// What every child gets unless a command says otherwise: PATH, LC_ALL=C.UTF-8, TZ=UTC.
[[nodiscard]] Environment clean_environment();

/// Makes the environment of this process that of a child, for the sake of libraries: they act on
/// variables and start programs of their own. Not for programs with other threads.
void clean_process_environment();

/// The folders of a PATH without those that are relative or empty, from which a program would be
/// whatever is in the folder that kiln was called in.
[[nodiscard]] std::vector<std::string> absolute_folders(std::string_view path);

/// The full path of a program in the absolute_folders() of `env` (those of clean_environment() when
/// it has no PATH), or an empty path.
[[nodiscard]] std::filesystem::path
find_program(std::string_view name, const Environment& env = clean_environment());

} // namespace kiln
