// SPDX-License-Identifier: MIT
//
// The project that a command works in, and the files that its arguments name there.
#pragma once

#include "cli/command.hpp"
#include "recipe/project.hpp"

#include <string>
#include <string_view>

namespace kiln {

/// The folder share/kiln that belongs to a program: beside its folder when it is installed, in its
/// folder when it was just built. Empty when there is neither.
[[nodiscard]] fs::path shipped_folder(const fs::path& program);

/// The project of the current folder. Faults of its kiln.yaml are reported and end in an Error with
/// exit code 3.
[[nodiscard]] Project current_project(Context& context);

/// The project of a definition: that of the current folder, unless another kiln.yaml is nearer to
/// `file`. Faults as with current_project().
[[nodiscard]] Project project_of(const fs::path& file, Context& context);

struct FoundDefinition {
    fs::path path;
    Project project; ///< that it belongs to
};

/// The file that an argument means: a path when it looks like one, else a name in the current
/// project or among the definitions that come with kiln. Throws UsageError with a suggestion when
/// there is none of that name.
[[nodiscard]] FoundDefinition
find_definition(DefinitionKind kind, const std::string& argument, Context& context);

/// Reports all faults of a file; throws Error (exit code 3) when there is any.
void require_no_faults(
    const fs::path& path, std::string_view noun, const Diagnostics& diags, Context& context);

/// Writes faults and warnings for people to the console, one object each with --log-format=json.
void report_diagnostics(const Diagnostics& diags, Console& console);

} // namespace kiln
