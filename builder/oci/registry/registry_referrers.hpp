// SPDX-License-Identifier: MIT
//
// Manifests that name another one as their subject: signatures, bills of materials, a disk beside
// its container image. A registry either keeps the list of them itself or it does not, which is
// seen by asking; for the latter distribution-spec has a tag with an index ("Referrers Tag
// Schema"), which clients keep.
#pragma once

#include "oci/image_graph.hpp"
#include "oci/registry/registry.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// "sha256-HEX", the tag of the list that clients keep for a manifest.
[[nodiscard]] std::string referrers_tag(const Digest& subject);

/// All that refer to a manifest; with an artifact type only those of it. Throws as RegistryClient
/// does.
[[nodiscard]] std::vector<IndexItem> find_referrers(
    RegistryClient& registry, const Digest& subject, std::string_view artifact_type = {});

/// Adds a pushed manifest to the list that clients keep, unless it is in there. For registries that
/// did not say that they keep one (PushedManifest::subject_is_indexed). Throws Error when others
/// change the list at the same time again and again.
void add_referrer(RegistryClient& registry, const Digest& subject, const GraphManifest& referrer);

} // namespace kiln
