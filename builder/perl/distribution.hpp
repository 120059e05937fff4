// SPDX-License-Identifier: MIT
//
// What a CPAN release says of itself, read from its tarball without unpacking it or running perl.
#pragma once

#include "perl/meta.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace kiln {

/// How a distribution is built and installed.
enum class BuildTool {
    makefile,     ///< perl Makefile.PL, make, make install
    build_script, ///< perl Build.PL, ./Build, ./Build install
    none,         ///< files that are put in their places, see perl/package.hpp
};

[[nodiscard]] std::string_view build_tool_name(BuildTool tool);

struct Distribution {
    std::string name;    ///< "Try-Tiny"
    std::string version; ///< as its META has it, else as its folder is called
    BuildTool tool = BuildTool::makefile;
    std::vector<ModuleNeed> needs;
    PerlModules modules; ///< that others may need
};

/// Reads a tarball; `name` is what messages call it. Throws Error when it cannot be read or has
/// neither Makefile.PL nor Build.PL.
[[nodiscard]] Distribution
read_distribution(const std::filesystem::path& tarball, const std::string& name);

/// Perl's own tarball.
struct PerlSource {
    PerlModules modules;     ///< that perl itself brings
    std::int64_t newest = 0; ///< newest time of a file, seconds since 1970
};

[[nodiscard]] PerlSource
read_perl_source(const std::filesystem::path& tarball, const std::string& name);

} // namespace kiln
