// SPDX-License-Identifier: MIT
//
// Debian's own package of a distribution without compiled code: what takes the tarball's place
// where no mirror keeps that. Its modules lie below usr/share/perl5, its programs in usr/bin.
#pragma once

#include "debian/deb.hpp"
#include "perl/prerequisites.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace kiln {

struct PerlPackage {
    Distribution distribution; ///< called like the package
    std::vector<Alternatives> depends;
};

/// Throws Error when the package has files for one architecture only.
[[nodiscard]] PerlPackage read_perl_package(const std::filesystem::path& path);

/// Where a file of such a package belongs below a perl's prefix: "lib/Foo.pm" of its modules (which
/// the caller puts where that perl looks), "bin/foo" of its programs, empty for all else
/// (documentation).
struct PackagePlace {
    enum class Kind { module, program, none };
    Kind kind = Kind::none;
    std::string path; ///< below the folder of modules or programs
};

[[nodiscard]] PackagePlace place_of_package_file(std::string_view path);

/// The members of a bundle that represent what a package depends on: Debian calls distribution
/// Foo-Bar "libfoo-bar-perl". Perl itself and what it brings need no member; other libraries of
/// perl that the bundle lacks go to `faults`.
[[nodiscard]] std::vector<std::string> members_for(
    const std::vector<Alternatives>& depends,
    const std::string& package,
    const std::vector<BundleMember>& members,
    const PerlModules& core,
    std::vector<std::string>& faults);

} // namespace kiln
