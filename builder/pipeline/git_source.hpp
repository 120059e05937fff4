// SPDX-License-Identifier: MIT
//
// A git commit as one file: fetched with git, archived, kept in the pool.
#pragma once

#include "pipeline/locked_inputs.hpp"

namespace kiln {

/// Fetches the commit (nothing else of the repository where the server allows it), archives its
/// tree as tar and puts that into the pool. Throws Error naming URL and commit.
[[nodiscard]] Digest fetch_git_archive(const GitSource& source, const InputContext& in);

} // namespace kiln
