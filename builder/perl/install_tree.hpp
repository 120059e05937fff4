// SPDX-License-Identifier: MIT
//
// What is installed: unpacking a tarball for a build, putting a package's files in their places,
// and taking away what an image does not need or what differs from build to build.
#pragma once

#include "base/io/file.hpp"
#include "perl/build_commands.hpp"
#include "tree/file_tree.hpp"

#include <string>
#include <vector>

namespace kiln {

/// Unpacks a tarball into `folder`, which must exist and be empty; see unpack_archive(). Returns
/// the name of its top folder, which many a Makefile.PL goes by. Throws Error when something is
/// beside that.
std::string
unpack_tarball(const fs::path& tarball, const std::string& name, const fs::path& folder);

/// Installs a package's modules and programs (perl/package.hpp) for another perl below `root`;
/// programs are started by that perl.
void install_perl_package(const fs::path& package, const PerlLayout& perl, const fs::path& root);

/// Takes away documentation (manual pages, .pod files but perldiag.pod, which diagnostics.pm
/// reads), records of the installation itself (.packlist, perllocal.pod), static libraries and
/// folders that are empty then. What is left is readable for all and writable for its owner.
void clean_installed_tree(const fs::path& root);

/// What an installed tree has that is not below `prefix`, as paths of the image in ascending order:
/// "/etc/foo.conf". There it would lie among the files of Debian's packages.
[[nodiscard]] std::vector<std::string>
files_outside_prefix(const FileTree& tree, const std::string& prefix);

} // namespace kiln
