// SPDX-License-Identifier: MIT
//
// Gets an image into a repository of a registry, under one tag or several.
#pragma once

#include "base/console.hpp"
#include "publish/registry/outgoing_image.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kiln {

struct RegistryPush {
    std::vector<std::string> tags; ///< none: by its digest only
    /// Repositories of the same registry that may have blobs of the image.
    std::vector<std::string> mount_from = {};
    std::uint64_t chunk_bytes = 0;      ///< see BlobUpload
    unsigned jobs = 4;                  ///< blobs at the same time
    std::optional<Digest> subject = {}; ///< what the image refers to
};

struct PushReport {
    Digest digest;
    std::uint64_t there = 0; ///< blobs that the registry had
    std::uint64_t mounted = 0;
    std::uint64_t uploaded = 0;
    std::uint64_t bytes = 0;      ///< of all blobs
    std::uint64_t bytes_sent = 0; ///< of the blobs that were uploaded
};

/// Blobs first, in parallel, then manifests, the image itself last. A registry that refuses a
/// manifest gets its blobs once more, since it may have said that it has one which it has lost.
/// Throws Error (exit code 5 when the registry refuses) and TransferError.
PushReport push_image(
    RegistryClient& registry,
    const OutgoingImage& image,
    const RegistryPush& push,
    Console& console);

} // namespace kiln
