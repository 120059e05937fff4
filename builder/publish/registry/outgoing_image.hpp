// SPDX-License-Identifier: MIT
//
// An image of this host in the form in which it goes to a registry. Container images go as they
// are; a disk becomes an OCI artifact ("Guidelines for Artifact Usage" of the image-spec) with the
// disk as its only layer.
#pragma once

#include "base/image_format.hpp"
#include "base/io/file.hpp"
#include "oci/image_graph.hpp"
#include "oci/registry/registry.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace kiln {

/// artifactType of a disk's manifest. Its config is the empty one ("{}"), its layer has the media
/// type of disk_media_type() and the file's name as org.opencontainers.image.title.
inline constexpr std::string_view kDiskArtifact = "application/vnd.kiln.disk.v1";

/// "application/vnd.kiln.disk.v1.qcow2", ".raw", ".raw+gzip", ".raw+zstd".
[[nodiscard]] std::string_view disk_media_type(ImageFormat format);
/// The counterpart; nothing for other types.
[[nodiscard]] std::optional<ImageFormat> disk_format_of(std::string_view media_type);

struct OutgoingImage {
    std::string name; ///< for messages: the file
    ImageGraph graph;
    /// Opens a blob of the graph. Safe to call from several threads.
    std::function<std::unique_ptr<Source>(const OciDescriptor&)> open;
};

/// An OCI layout directory, or an archive that holds one (kiln's and Docker's since 25.0).
/// `ref_name` as in read_image_graph(). Throws Error.
[[nodiscard]] OutgoingImage open_container(const fs::path& image, std::string_view ref_name);

/// REPRO: equal disks of the same name and subject give equal manifests. With a `subject` the disk
/// is found as a referrer of that image. Throws Error.
[[nodiscard]] OutgoingImage
open_disk(const fs::path& image, ImageFormat format, const std::optional<OciDescriptor>& subject);

} // namespace kiln
