// SPDX-License-Identifier: MIT
//
// Builds a program: the build root from its locked packages, and in it the definition's script on
// the definition's sources.
#pragma once

#include "artifact/artifact.hpp"
#include "inputs/input_context.hpp"
#include "lock/lockfile.hpp"
#include "recipe/artifacts/program.hpp"

namespace kiln {

/// Needs the archives' mirrors; see solve() for what it throws. `keyring_dir` has Debian's keys.
[[nodiscard]] Lockfile
lock_program(const ProgramSpec& program, const InputContext& in, const fs::path& keyring_dir);

/// The key under which the program's artifact is kept: a hash over kiln's output version, the build
/// root's key, the sources and the script. Throws Error (exit code 3) when the lock does not fit.
[[nodiscard]] Digest
program_key(const ProgramSpec& program, const Lockfile& lock, const Pool& pool);

/// Builds what the store does not have. Needs enter_build_namespace() unless it is there. Throws
/// Error with the last lines of the script's output and where its log is.
[[nodiscard]] ArtifactInfo build_program(
    const ProgramSpec& program,
    const Lockfile& lock,
    const InputContext& in,
    const Store& store,
    unsigned jobs);

} // namespace kiln
