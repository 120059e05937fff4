// SPDX-License-Identifier: MIT
//
// Looks at what the processes of a sandbox take of the machine, from outside.
#pragma once

#include "sandbox/sandbox.hpp"

#include <functional>
#include <string>

namespace kiln {

/// The limits with this machine's defaults in place of 0.
[[nodiscard]] SandboxLimits with_defaults(SandboxLimits limits);

/// For Command::watch: whether a process and all below it stay within the limits on memory and
/// disk. What counts as written is what became less free on the file system of `tree` since now, so
/// others that write there count too.
[[nodiscard]] std::function<std::string(pid_t)>
watch_resources(const SandboxLimits& limits, const std::filesystem::path& tree);

/// Memory that belongs to a process's descendants alone, in bytes. The process itself is a copy of
/// kiln that waits.
[[nodiscard]] std::uint64_t private_memory_of(pid_t pid);

/// The same for a program outside of a sandbox that writes below `folder`: `limit` bytes, or (0)
/// nine tenths of what is free there at first.
[[nodiscard]] std::function<std::string(pid_t)>
watch_disk(const std::filesystem::path& folder, std::uint64_t limit = 0);

} // namespace kiln
