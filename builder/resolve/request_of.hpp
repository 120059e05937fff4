// SPDX-License-Identifier: MIT
//
// What a definition asks of the archives, in words: everything that its lock hangs on. The lock
// keeps it, and a bake compares it with the definition as it is. A field that changes what is
// locked has to be said here; one that only changes what is done with it belongs to a stage's key
// instead (tests/unit/resolve/request_of_test.cpp has the table of all).
#pragma once

#include "lock/lockfile.hpp"
#include "recipe/artifacts/bundle.hpp"
#include "recipe/artifacts/program.hpp"
#include "recipe/recipe.hpp"

#include <string>
#include <vector>

namespace kiln {

/// Reads the recipe's own keyrings, whose digests are said.
[[nodiscard]] std::vector<RequestPart> request_of(const Recipe& recipe);
/// Reads its cpanfiles, too.
[[nodiscard]] std::vector<RequestPart> request_of(const PerlBundle& bundle);
[[nodiscard]] std::vector<RequestPart> request_of(const ProgramSpec& program);

/// Throws Error (exit code 3) that says what changed when the lock was made for another request.
/// `what` is the definition: "recipe 'web'"; `renew` what renews the lock: "'kiln lock web'".
void require_same_request(
    const Lockfile& lock,
    const std::vector<RequestPart>& now,
    const std::string& lock_name,
    const std::string& what,
    const std::string& renew);

} // namespace kiln
