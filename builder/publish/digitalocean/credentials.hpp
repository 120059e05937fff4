// SPDX-License-Identifier: MIT
//
// The token for DigitalOcean's API, from where people keep it: the environment, a file, or a
// program that prints it. Never an argument of kiln.
#pragma once

#include "base/environment.hpp"
#include "base/process/process.hpp"

#include <string>

namespace kiln {

/// The first of these that is set; more than one of different kind is fine:
/// - DIGITALOCEAN_ACCESS_TOKEN (as doctl) and DIGITALOCEAN_TOKEN (as terraform);
/// - DIGITALOCEAN_TOKEN_FILE: the first line of that file;
/// - DIGITALOCEAN_TOKEN_COMMAND: the first line of what that command prints. It is split at spaces,
///   no shell reads it; its program is searched in the absolute folders of the caller's PATH and
///   gets the caller's environment.
/// Never shows what it found. Throws UsageError with a hint when none is set, Error when a file or
/// a command does not give a token.
[[nodiscard]] std::string find_digitalocean_token(const Environment& env, ProcessRunner& processes);

} // namespace kiln
