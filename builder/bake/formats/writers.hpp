// SPDX-License-Identifier: MIT
//
// One function for each format of an image, in a separate file. The first format of each side is
// made from the tree: the raw disk, and the OCI layout. The others are made from that one.
#pragma once

#include "base/console.hpp"
#include "base/image_format.hpp"
#include "base/io/file.hpp"
#include "tree/file_tree.hpp"

#include <cstdint>
#include <string>

namespace kiln {

/// What a format is made from.
struct WriteInput {
    const fs::path& base;      ///< the raw disk, or the OCI layout
    const FileTree& tree;      ///< what the image holds
    const std::string& recipe; ///< its name
    const fs::path& cache;     ///< root of kiln's cache
    bool compress = true;      ///< clusters of a qcow2 image
    unsigned jobs = 1;
    Console& console;
};

/// Writes a new file at `target`. Throws Error.
using WriteImage = void (*)(const WriteInput& input, const fs::path& target);

void write_docker(const WriteInput& input, const fs::path& target);
void write_qcow2(const WriteInput& input, const fs::path& target);
void write_raw_gz(const WriteInput& input, const fs::path& target);
void write_raw_zst(const WriteInput& input, const fs::path& target);
void write_tar(const WriteInput& input, const fs::path& target);

/// The writer of a format that is made from another; null for the two that are not.
[[nodiscard]] WriteImage writer_of(ImageFormat format);

} // namespace kiln
