// SPDX-License-Identifier: MIT
//
// Artifacts in registries, as OCI artifacts (image-spec 1.1, "Guidelines for Artifact Usage"): a
// manifest with an artifactType, what kiln knows of the artifact as its config, and its tree as one
// layer.
#pragma once

#include "artifact/artifact.hpp"
#include "base/console.hpp"
#include "lock/lockfile.hpp"
#include "oci/registry/registry.hpp"

#include <optional>
#include <string>

namespace kiln {

namespace media_type {
inline constexpr std::string_view kArtifact = "application/vnd.kiln.artifact.v1";
inline constexpr std::string_view kArtifactConfig = "application/vnd.kiln.artifact.config.v1+json";
} // namespace media_type

/// The tag under which a registry has the artifact with a key: "core-80121e0c146a3372...".
[[nodiscard]] std::string artifact_tag(const std::string& name, const Digest& key);

struct PushedArtifact {
    std::string tag;
    Digest manifest;         ///< what a pull by digest names
    std::uint64_t bytes = 0; ///< of the compressed tree
};

/// Of the store. REPRO: equal trees give equal manifests, so pushing twice changes nothing.
[[nodiscard]] PushedArtifact push_artifact(
    const ArtifactInfo& info,
    RegistryClient& registry,
    const Store& store,
    unsigned jobs,
    Console& console);

/// What a pull must give: all that a lock says of the artifact.
struct WantedArtifact {
    std::string name;
    LockedResult result;
};

/// Puts an artifact into the store, which may have it already. `reference` is a tag or a digest.
/// Nothing when the registry does not have it. Throws Error (exit code 5) when it is no artifact of
/// kiln, or not the one that is wanted by name, key and tree, whatever it says of itself.
[[nodiscard]] std::optional<ArtifactInfo> pull_artifact(
    const std::string& reference,
    const WantedArtifact& wanted,
    RegistryClient& registry,
    const Store& store,
    Console& console);

} // namespace kiln
