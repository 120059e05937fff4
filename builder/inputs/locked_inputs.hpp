// SPDX-License-Identifier: MIT
//
// The inputs of a bake: what the recipe names, as the lock pins it, where it is in the pool.
#pragma once

#include "inputs/artifact_lookup.hpp"
#include "inputs/input_context.hpp"
#include "lock/lockfile.hpp"
#include "recipe/recipe.hpp"
#include "stages/stage.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace kiln {

class LockedInputs final : public StageInputs {
  public:
    /// The command that makes a new lock, for hints; empty when it was made just now. Otherwise the
    /// recipe's own.
    void set_refresh(std::string refresh) { refresh_ = std::move(refresh); }

    /// All must outlive this; `artifacts` may be null if the recipe has none. Throws Error (exit
    /// code 3) when the lock does not fit the recipe: another name, a source, an artifact or a
    /// packages stage that it lacks.
    LockedInputs(
        const Recipe& recipe,
        const Lockfile& lock,
        const Pool& pool,
        const ArtifactLookup* artifacts = nullptr);

    [[nodiscard]] std::vector<LockedDeb> packages(const StageSpec& stage) const override;
    /// Names of the locked packages of archives that other keys than Debian's sign.
    [[nodiscard]] std::set<std::string> private_packages() const;
    [[nodiscard]] SourceInput source(const std::string& name) const override;
    [[nodiscard]] Digest artifact_key(const std::string& name) const override;
    [[nodiscard]] ArtifactInput artifact(const std::string& name) const override;

    /// Brings what these stages need into the pool, verified.
    void fetch(const std::vector<const StageSpec*>& stages, const InputContext& in) const;

  private:
    [[nodiscard]] std::vector<const LockedPackage*> locked_packages(const StageSpec& stage) const;
    [[nodiscard]] const LockedSource& locked_source(const SourceSpec& source) const;
    void check_fit() const;
    void check_artifacts() const;
    [[nodiscard]] std::vector<std::string>
    urls_of(const LockedPackage& package, const InputContext& in) const;

    const Recipe& recipe_;
    const Lockfile& lock_;
    const Pool& pool_;
    const ArtifactLookup* artifacts_;
    std::string refresh_;
    std::map<std::string, std::string> branch_of_; ///< stage name -> branch name
    mutable std::mutex directories_mutex_;
    mutable std::map<std::string, SourceInput> directories_; ///< looked at so far
};

} // namespace kiln
