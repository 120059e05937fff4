// SPDX-License-Identifier: MIT
//
// How perl and CPAN distributions are configured, built and installed, as data: commands for a
// sandbox whose root has the compilers, with everything pinned that would differ from build to
// build.
#pragma once

#include "base/process/process.hpp"
#include "perl/distribution.hpp"

#include <string>
#include <vector>

namespace kiln {

/// Where the sandbox has the folder of one build: the unpacked tarball in "source", under the name
/// of its top folder, and what is installed in "out".
inline constexpr const char* kBuildFolder = "/run/kiln/build";
inline constexpr const char* kSourceFolder = "/run/kiln/build/source";
inline constexpr const char* kOutFolder = "/run/kiln/build/out";

/// A command for the folder of the unpacked tarball.
struct BuildPhase {
    std::string name; ///< "prepare", "configure", "build", "install" or "strip"
    Command command;
    /// A file that it has to leave there; empty: none. Many a Makefile.PL that finds something
    /// missing says so, writes nothing and ends well.
    std::string makes = {};
};

/// Where a perl of ours keeps things, as passed to its Configure.
struct PerlLayout {
    std::string prefix;  ///< "/opt/pause-perl"
    std::string version; ///< "5.40.1"

    [[nodiscard]] std::string program() const { return prefix + "/bin/perl"; }

    [[nodiscard]] std::string site_library() const { return prefix + "/lib/site_perl/" + version; }
};

/// Of perl itself; make runs `jobs` compilers at a time.
[[nodiscard]] std::vector<BuildPhase> perl_phases(const PerlLayout& perl, unsigned jobs);

/// Of a distribution; none for BuildTool::none. `libraries` are folders with the modules that it is
/// built on.
[[nodiscard]] std::vector<BuildPhase> distribution_phases(
    BuildTool tool, const PerlLayout& perl, const std::vector<std::string>& libraries);

/// Rises whenever the commands, or what is done to their results, change: part of every key.
inline constexpr std::uint64_t kPerlBuildVersion = 3;

} // namespace kiln
