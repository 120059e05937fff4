// SPDX-License-Identifier: MIT
//
// What all kinds of artifacts have in common: a definition that is locked, has a key, and can be
// built.
#pragma once

#include "artifact/artifact.hpp"
#include "inputs/input_context.hpp"
#include "lock/lockfile.hpp"
#include "recipe/recipe.hpp"

#include <memory>
#include <optional>
#include <string>

namespace kiln {

class ArtifactDefinition {
  public:
    ArtifactDefinition() = default;
    ArtifactDefinition(const ArtifactDefinition&) = delete;
    ArtifactDefinition& operator=(const ArtifactDefinition&) = delete;
    virtual ~ArtifactDefinition() = default;

    [[nodiscard]] virtual const std::string& name() const = 0;
    [[nodiscard]] virtual ArtifactKind kind() const = 0;
    /// Resolves the inputs. Needs the archives' mirrors.
    [[nodiscard]] virtual Lockfile lock(const InputContext& in) const = 0;
    /// Of the finished artifact. Throws Error (exit code 3) when the lock does not fit.
    [[nodiscard]] virtual Digest key(const Lockfile& lock, const Pool& pool) const = 0;
    /// Builds what the store does not have.
    [[nodiscard]] virtual ArtifactInfo build(
        const Lockfile& lock, const InputContext& in, const Store& store, unsigned jobs) const = 0;

    /// What the definition asks for now.
    [[nodiscard]] virtual std::vector<RequestPart> request() const = 0;

    /// Reads the lock beside the definition's file. Throws Error (exit code 3) when there is none
    /// or when it was made for another request.
    [[nodiscard]] Lockfile load_lock(const fs::path& file) const;

    /// What the lock says came out of building what has this key; throws Error (exit code 3) with
    /// the command that writes it down when it says nothing.
    [[nodiscard]] LockedResult
    locked_result(const fs::path& file, const Lockfile& lock, const Digest& key) const;

    /// Writes into the lock what came out of building, unless it says so already. Warns when it
    /// said that something else did.
    void note_result(
        const fs::path& file, Lockfile lock, const ArtifactInfo& info, Console& console) const;

    /// "bundle 'core'"
    [[nodiscard]] std::string describe() const;

  private:
    [[nodiscard]] std::string word(const fs::path& file) const;
};

/// Reads a definition. Faults go to `diags`; null when there is any. Throws SystemError when the
/// file cannot be read.
[[nodiscard]] std::unique_ptr<ArtifactDefinition>
load_artifact_definition(const fs::path& path, ArtifactKind kind, Diagnostics& diags);

/// What a file defines, as far as its keys tell; a bundle when they do not.
[[nodiscard]] ArtifactKind kind_of_definition(const fs::path& path);

} // namespace kiln
