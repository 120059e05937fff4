// SPDX-License-Identifier: MIT
//
// How kiln starts git: without the settings of user and host, without hooks, helpers and questions.
// In a repository that somebody else made git_environment() and git_command() are not enough: its
// own settings can name programs, too (inputs/git_checkout.hpp).
#pragma once

#include "base/io/file.hpp"
#include "base/process/process.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// Of every git. It has no transport protocol; GIT_ALLOW_PROTOCOL adds what a fetch needs.
[[nodiscard]] Environment git_environment();

/// git in a folder, with git_environment().
[[nodiscard]] Command git_command(const fs::path& folder, const std::vector<std::string>& args);

/// The paths of submodules in the output of `git ls-tree -r -z`.
[[nodiscard]] std::vector<std::string> submodules_in(std::string_view listing);

} // namespace kiln
