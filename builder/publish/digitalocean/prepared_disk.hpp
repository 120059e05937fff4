// SPDX-License-Identifier: MIT
//
// The file that is uploaded for a disk: its raw content with gzip, which DigitalOcean imports
// whatever it thinks of the compressed clusters of a qcow2.
#pragma once

#include "base/console.hpp"
#include "base/image_format.hpp"
#include "base/io/file.hpp"
#include "base/process/process.hpp"
#include "publish/digitalocean/image_upload.hpp"

#include <string>

namespace kiln {

/// A disk of this host.
struct SourceDisk {
    fs::path path;
    ImageFormat format = ImageFormat::raw;
    Digest digest; ///< SHA-256 of the file
};

/// The disk as it is: for those who have put it somewhere themselves.
[[nodiscard]] UploadFile as_it_is(const SourceDisk& disk);

/// NAME.img.gz in `folder`, whole or not at all; a raw disk with gzip is taken as it is, under that
/// name. REPRO: equal disks give equal files, so that an upload goes on after the file was made
/// again. Throws Error, also when the disk has changed since its digest was taken.
[[nodiscard]] UploadFile prepare_disk(
    const SourceDisk& disk,
    const fs::path& folder,
    unsigned jobs,
    Console& console,
    ProcessRunner& processes);

} // namespace kiln
