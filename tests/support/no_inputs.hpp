// SPDX-License-Identifier: MIT
#pragma once

#include "stages/stage.hpp"

namespace kiln::test {

/// A stage's inputs when a recipe locks nothing; one source can be given.
class NoInputs final : public StageInputs {
  public:
    [[nodiscard]] std::vector<LockedDeb> packages(const StageSpec&) const override { return {}; }

    [[nodiscard]] SourceInput source(const std::string&) const override { return the_source; }

    [[nodiscard]] Digest artifact_key(const std::string&) const override { return {}; }

    [[nodiscard]] ArtifactInput artifact(const std::string&) const override { return {}; }

    SourceInput the_source;
};

} // namespace kiln::test
