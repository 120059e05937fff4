// SPDX-License-Identifier: MIT
//
// Packs an OCI layout directory as a tar that both `docker load` (20.10 and later) and OCI tools
// read: the layout itself plus Docker's manifest.json that points into it.
#pragma once

#include "base/io/file.hpp"
#include "base/io/stream.hpp"

#include <string>
#include <vector>

namespace kiln {

/// Writes the archive of the layout's only image to `sink` (which is not finished). `repo_tags` are
/// the names that Docker gives the image ("pause:latest"); when empty, the io.containerd.image.name
/// of the index is taken. Throws Error for zstd layers, which Docker 20.10 fails to load with a
/// message that explains nothing, for names that are no image references, and for malformed layouts
/// (a blob that is a link or a device, or of another size than stated).
void write_docker_archive(
    const fs::path& layout, const std::vector<std::string>& repo_tags, Sink& sink);

/// Checks what `docker load` would take from an archive: one image, under names that are image
/// references. An archive without manifest.json passes (newer engines load those of OCI tools, and
/// refuse others themselves). Throws Error.
void require_loadable_archive(const fs::path& archive);

} // namespace kiln
