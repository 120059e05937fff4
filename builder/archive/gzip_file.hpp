// SPDX-License-Identifier: MIT
//
// A file compressed for somebody else's reader: gzip of a single member, on all cores.
#pragma once

#include "base/console.hpp"
#include "base/io/digest.hpp"
#include "base/io/file.hpp"

#include <cstdint>

namespace kiln {

struct GzipFile {
    std::uint64_t size = 0;
    Digest digest; ///< SHA-256 of the compressed file
};

/// Compresses a regular file into another one, which appears when it is whole; holes become zeros.
/// `progress` counts bytes of the plain file; its total is set here. Throws SystemError, such as
/// for a full disk, and Interrupted.
GzipFile gzip_file(const fs::path& plain, const fs::path& target, unsigned jobs, Job& progress);

} // namespace kiln
