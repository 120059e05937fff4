// SPDX-License-Identifier: MIT
//
// Where kiln keeps what it may throw away: one root for the pool, apt's lists and stage trees.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace kiln {

/// Looks up an environment variable; nothing when it is unset.
using EnvLookup = std::function<std::optional<std::string>(std::string_view name)>;

/// A variable of this process.
[[nodiscard]] std::optional<std::string> process_env(std::string_view name);

/// `$KILN_CACHE`, else `$XDG_CACHE_HOME/kiln`, else `$HOME/.cache/kiln`; empty and relative
/// variables count as unset. Throws Error when none is set.
[[nodiscard]] std::filesystem::path cache_root(const EnvLookup& env = process_env);

/// The default pool of inputs, `cache_root()/pool`.
[[nodiscard]] std::filesystem::path default_pool_dir(const EnvLookup& env = process_env);

} // namespace kiln
