// SPDX-License-Identifier: MIT
//
// The seed drive of a machine: what cloud-init (NoCloud) and an image's own first-run read at their
// first boot.
#pragma once

#include "base/io/file.hpp"

#include <map>
#include <string>
#include <string_view>

namespace kiln {

/// Files by name: meta-data, user-data with `ssh_key` for root, and those of the suite, in which
/// kSshKeyMark is replaced.
[[nodiscard]] std::map<std::string, std::string> seed_files(
    const std::map<std::string, std::string>& suite_files,
    std::string_view instance_id,
    std::string_view ssh_key);

/// Writes them as a FAT file system labelled CIDATA. Throws Error.
void write_seed_drive(const std::map<std::string, std::string>& files, const fs::path& path);

} // namespace kiln
