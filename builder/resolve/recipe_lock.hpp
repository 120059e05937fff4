// SPDX-License-Identifier: MIT
//
// The lock beside a definition: where it is, whether it is of what the definition asks for, and
// what renews it.
#pragma once

#include "base/console.hpp"
#include "base/io/file.hpp"
#include "lock/lockfile.hpp"
#include "recipe/recipe.hpp"

#include <string>
#include <string_view>

namespace kiln {

/// recipes/pause.yaml -> recipes/pause.lock.
[[nodiscard]] fs::path lock_path(const fs::path& definition);

/// The lock of a recipe as it is, with what --set changed: recipes/pause@release=trixie.lock.
/// Characters that do not belong into file names are written as %XX.
[[nodiscard]] fs::path lock_path(const Recipe& recipe);

/// Whether there is a lock that load_recipe_lock() would read: its own, or that without --set.
[[nodiscard]] bool has_lock(const Recipe& recipe);

/// "'kiln lock web --set release=trixie'", for hints.
[[nodiscard]] std::string lock_command(const Recipe& recipe);

/// What a bake takes: the lock of the recipe; without its own, a variant takes the plain
/// recipe's when that fits. Throws Error (exit code 3) when there is none, when it cannot be read,
/// and, naming what changed, when it was made for another request.
[[nodiscard]] Lockfile
load_recipe_lock(const Recipe& recipe, const std::vector<RequestPart>& request, Console& console);

} // namespace kiln
