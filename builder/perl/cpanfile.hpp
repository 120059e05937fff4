// SPDX-License-Identifier: MIT
//
// cpanfile (Module::CPANfile's cpanfile(5)): what a program needs of CPAN. Only its usual plain
// form is read, not perl code.
#pragma once

#include "perl/meta.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// What is required to configure, build and run; not what `on test` or `on develop` holds, nor what
/// is only recommended. Throws Error "NAME:LINE: ..." for statements that it does not understand.
[[nodiscard]] std::vector<ModuleNeed>
parse_cpanfile(std::string_view text, const std::string& name);

} // namespace kiln
