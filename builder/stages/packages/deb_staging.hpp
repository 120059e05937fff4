// SPDX-License-Identifier: MIT
//
// Packages' contents on disk, but not yet at their places in a tree. Needs no tree, so it can be
// done long before a package's turn.
#pragma once

#include "stages/packages/package_file.hpp"
#include "stages/stage_context.hpp"
#include "tree/file_tree.hpp"

#include <map>
#include <string>
#include <vector>

namespace kiln {

/// A member of a package's data archive.
struct StagedMember {
    std::string path; ///< with leading slash
    Entry entry;
    std::string user; ///< the archive's names of owner and group; may be empty
    std::string group;
    std::string md5;     ///< of content; empty when the package brings its own md5sums
    std::string content; ///< of a regular file: where it is, below the staging folder
};

using StagedPackage = std::vector<StagedMember>;

/// Writes the contents of a package's regular files, with owners, modes and times, to a new folder
/// `folder`/INFO_NAME of `tree`. Throws Error for damaged packages.
[[nodiscard]] StagedPackage
stage_package(const PackageFile& package, const TreeRoot& tree, const std::string& folder);

/// Packages that were staged ahead, by info_name().
struct StagedPackages final : StagedData {
    std::map<std::string, StagedPackage> packages;
};

} // namespace kiln
