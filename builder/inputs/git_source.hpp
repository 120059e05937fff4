// SPDX-License-Identifier: MIT
//
// A git commit as one file: fetched with git, archived, kept in the pool. git is kept from all that
// could run a program on the host: other protocols than the URL's own, hooks, settings, submodules.
#pragma once

#include "base/io/digest.hpp"
#include "inputs/input_context.hpp"
#include "recipe/source_spec.hpp"

namespace kiln {

/// The protocols that git may use for a URL or path, redirects included, in the form of
/// GIT_ALLOW_PROTOCOL: "https" for https:, "http:https" for http:, "ssh", "git", "file". Throws
/// Error (exit code 3) for what git would take as an option or as the name of a transport helper
/// ("ext::sh -c ..."), and for other schemes.
[[nodiscard]] std::string git_protocols(const std::string& url);

/// Fetches the commit (nothing else of the repository where the server allows it), archives its
/// tree as tar and puts that into the pool. Throws Error naming URL and commit.
[[nodiscard]] Digest fetch_git_archive(const GitSource& source, const InputContext& in);

} // namespace kiln
