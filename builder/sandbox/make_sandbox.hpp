// SPDX-License-Identifier: MIT
//
// How those who run programs in a tree get a sandbox, so that a test can give them another runner.
#pragma once

#include "sandbox/sandbox.hpp"

#include <functional>
#include <memory>
#include <utility>

namespace kiln {

/// Makes what runs the commands of one stage or build, in its tree.
using MakeSandbox = std::function<std::unique_ptr<ProcessRunner>(SandboxOptions options)>;

[[nodiscard]] inline std::unique_ptr<ProcessRunner> make_sandbox(SandboxOptions options) {
    return std::make_unique<Sandbox>(std::move(options));
}

} // namespace kiln
