// SPDX-License-Identifier: MIT
//
// Which modules a file of perl code declares, found without running perl.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace kiln {

/// Modules by name, with the version that the code states; empty where there is none that can be
/// read without running it.
using PerlModules = std::map<std::string, std::string, std::less<>>;

/// The modules that `text`, the file NAME.pm or NAME_pm.PL at `path`, is loaded for: those of its
/// package statements whose last part is NAME. POD does not count, nor what follows __END__.
[[nodiscard]] PerlModules find_modules(std::string_view path, std::string_view text);

/// Whether a file of a distribution, given relative to its top folder, gets installed as a module:
/// not if it is among tests, examples and what only the distribution's own build uses.
[[nodiscard]] bool is_module_file(std::string_view path);
/// The same in the source of perl itself, whose modules lie in many folders.
[[nodiscard]] bool is_core_module_file(std::string_view path);

} // namespace kiln
