// SPDX-License-Identifier: MIT
//
// Gets an image out of a registry: a container image as an OCI layout or a docker archive, a disk
// that kiln pushed as the file that it was.
#pragma once

#include "base/console.hpp"
#include "base/image_format.hpp"
#include "base/io/file.hpp"
#include "oci/registry/registry.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace kiln {

struct RegistryPull {
    std::string reference; ///< a tag or "sha256:..."
    std::string name;      ///< of what is written, without a suffix
    fs::path out;          ///< folder; prepare_out_folder() was called for it
    std::string platform = "linux/amd64";
    bool all_platforms = false; ///< the whole of an index, as a layout
    bool disk = false;          ///< the disk that refers to the image
    bool docker_archive = false;
    bool replace = false; ///< what has the name already
    unsigned jobs = 4;    ///< blobs at the same time
    unsigned umask = 022;
};

struct PulledImage {
    fs::path path;
    ImageFormat format = ImageFormat::oci;
    Digest digest; ///< of the manifest or index in the registry
    std::uint64_t bytes = 0;
    bool was_there = false; ///< nothing was written
};

/// All of it is verified before it appears under its name, in one step; what an interrupted pull
/// left is removed by the next. Throws Error: exit code 5 when the registry has no such image, or
/// sends what is none or not what its digests say.
PulledImage pull_image(RegistryClient& registry, const RegistryPull& pull, Console& console);

} // namespace kiln
