// SPDX-License-Identifier: MIT
//
// What a fuzz target may meet: refusals in kiln's own words, and no bug.
#pragma once

#include "base/error.hpp"

namespace kiln::test {

/// Runs `check`, which may throw an Error, but no bug (exit code 70) and no other exception.
template <typename Check> void accept_refusals(const Check& check) {
    try {
        check();
    } catch (const Error& error) {
        if (error.exit_code() == ExitCode::bug) {
            throw;
        }
    }
}

} // namespace kiln::test
