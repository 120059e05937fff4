// SPDX-License-Identifier: MIT
//
// Which commit a folder of the host is, for the record of a bake. The folder may hold anything.
#pragma once

#include "base/io/file.hpp"
#include "base/process/process.hpp"

#include <string>

namespace kiln {

/// What a folder was checked out from: the commit, with " changed" behind it when anything but .git
/// differs from it or cannot be compared, as submodules cannot; empty when the folder is not the
/// top of a checkout of a commit, or git does not answer. Nothing of the checkout's settings is
/// used that could run a program.
[[nodiscard]] std::string checkout_revision(const fs::path& folder, ProcessRunner& processes);

} // namespace kiln
