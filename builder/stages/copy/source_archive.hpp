// SPDX-License-Identifier: MIT
//
// The tarball of a source, member by member: what may be in one, and where it goes in a tree.
#pragma once

#include "stages/copy/folder_copy.hpp"

#include <string>

namespace kiln {

struct SourceInput;

/// Reads all of the tarball and writes nothing. Throws Error (exit code 3) when unpack_source()
/// would: a zip or no archive at all, a damaged one, a member that is neither file, directory nor
/// link, a hard link to a file that the archive does not have before it.
void check_source_archive(const SourceInput& source);

/// Unpacks the tarball into `to`, without its leading components; hard links stay links. Owner and
/// mode are as `ownership_of` says; a directory that is there gets them too. Throws Error as above.
void unpack_source(
    const SourceInput& source,
    const std::string& to,
    const TreeRoot& tree,
    const OwnershipOf& ownership_of);

} // namespace kiln
