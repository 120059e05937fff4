// SPDX-License-Identifier: MIT
//
// What the inputs of a bake need to know of the recipe's artifacts, whoever builds them.
#pragma once

#include "base/io/digest.hpp"
#include "inputs/pool.hpp"
#include "lock/lockfile.hpp"
#include "stages/stage.hpp"

#include <string>
#include <vector>

namespace kiln {

class ArtifactLookup {
  public:
    ArtifactLookup() = default;
    ArtifactLookup(const ArtifactLookup&) = delete;
    ArtifactLookup& operator=(const ArtifactLookup&) = delete;
    virtual ~ArtifactLookup() = default;

    /// What a recipe's lock says of them: the digests of their own locks.
    [[nodiscard]] virtual std::vector<LockedSource> locked() const = 0;

    /// See StageInputs::artifact_key(). Throws Error (exit code 3) for a name that the recipe does
    /// not have, and when the artifact has no lock or one that does not fit.
    [[nodiscard]] virtual Digest key(const std::string& name, const Pool& pool) const = 0;
    /// Of the store.
    [[nodiscard]] virtual ArtifactInput load(const std::string& name, const Pool& pool) const = 0;
};

} // namespace kiln
