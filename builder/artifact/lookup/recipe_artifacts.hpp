// SPDX-License-Identifier: MIT
//
// The artifacts that a recipe names: their definitions and locks, and getting them into the store,
// from wherever they are available.
#pragma once

#include "artifact/artifact.hpp"
#include "artifact/lookup/artifact_definition.hpp"
#include "artifact/lookup/artifact_registry.hpp"
#include "inputs/artifact_lookup.hpp"
#include "inputs/input_context.hpp"
#include "recipe/recipe.hpp"

#include <map>
#include <memory>
#include <string>

namespace kiln {

/// Reports faults of the artifacts' definitions, and stages that place one that the recipe does not
/// name.
void check_artifacts(const Recipe& recipe, Diagnostics& diags);

class RecipeArtifacts final : public ArtifactLookup {
  public:
    /// Reads the definition of every artifact. `recipe` and `store` must outlive this. Throws Error
    /// (exit code 3) with all faults of a definition.
    RecipeArtifacts(const Recipe& recipe, const Store& store);

    /// Makes locks that are missing. Prints what changed.
    void make_missing_locks(const InputContext& in) const;
    /// Updates all locks except those whose artifact is in the store or can be pulled into it: an
    /// artifact that is built already needs no archive.
    void refresh_locks(const std::vector<std::string>& registries, const InputContext& in) const;

    [[nodiscard]] std::vector<LockedSource> locked() const override;
    [[nodiscard]] Digest key(const std::string& name, const Pool& pool) const override;
    [[nodiscard]] ArtifactInput load(const std::string& name, const Pool& pool) const override;

    /// Gets the artifact into the store, if it is not there: from the first of `registries` and the
    /// recipe's own that has it as the lock says, else by building it. What a registry cannot give
    /// is a warning.
    void fetch_or_build(
        const std::string& name,
        const std::vector<std::string>& registries,
        const InputContext& in,
        unsigned jobs) const;

    /// Writes into the artifacts' locks what came out of building those that are in the store.
    void note_results(const InputContext& in) const;

  private:
    struct Item {
        const ArtifactSpec* spec = nullptr;
        std::unique_ptr<ArtifactDefinition> definition;
    };

    [[nodiscard]] bool pull(
        const Item& item,
        const WantedArtifact& wanted,
        const std::string& repository,
        const InputContext& in) const;
    [[nodiscard]] const Item& item(const std::string& name) const;
    [[nodiscard]] static Lockfile lock_of(const Item& item);
    [[nodiscard]] bool is_at_hand(
        const Item& item, const std::vector<std::string>& registries, const InputContext& in) const;
    [[nodiscard]] bool pull_from_any(
        const Item& item,
        const Lockfile& lock,
        const std::vector<std::string>& registries,
        const InputContext& in) const;
    static void make_lock(const Item& item, const InputContext& in);

    const Store& store_;
    std::map<std::string, Item> items_;
};

} // namespace kiln
