// SPDX-License-Identifier: MIT
//
// Definitions of perl bundles (perl-bundle/*.yaml): a perl and the distributions that are built
// with it, in a build root of locked packages. docs/perl-bundle.md describes the format.
#pragma once

#include "recipe/artifacts/build_root.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace kiln {

/// The upstream tarball of a Debian source package.
struct DebianSource {
    std::string package; ///< the source package: "libtry-tiny-perl"
    std::string suite;   ///< the only one to look in; empty: the first that has it
    std::string version; ///< upstream's, the only one to take; empty: the suite's
};

/// A release on CPAN.
struct CpanRelease {
    std::string path; ///< below a CPAN mirror: "authors/id/R/RJ/RJBS/Process-Status-0.010.tar.gz"
    Digest sha256;
};

/// Whatever release a CPAN mirror's index names for a module when the bundle is locked.
struct CpanModule {
    std::string module; ///< "Process::Status"
};

struct DistributionSpec {
    std::variant<DebianSource, CpanRelease, CpanModule> from;
    /// Names of distributions that it needs besides those that its metadata names.
    std::vector<std::string> needs;
    /// The name of one in the extended bundle whose place this one took; mostly empty.
    std::string replaces;
    SourcePos pos;

    /// The source package, the path on CPAN or the module. One name, one distribution.
    [[nodiscard]] const std::string& name() const;
};

struct PerlBundle {
    std::string name;
    std::string summary;
    BuildRootSpec root;
    std::string prefix;                       ///< absolute path in the image
    std::vector<ArchiveSpec> source_archives; ///< where sources are looked for, in this order
    DistributionSpec perl;                    ///< a source package or a release on CPAN
    std::vector<DistributionSpec> distributions;
    std::vector<fs::path> cpanfiles; ///< whose modules the bundle must have
    /// Every file that was read: the bundle first, then those it extends.
    std::vector<fs::path> files;
};

/// Reads the bundle at `path` and checks all of it. Faults go to `diags`; nothing is returned when
/// there is any. Throws SystemError when `path` itself cannot be read.
[[nodiscard]] std::optional<PerlBundle> load_bundle(const fs::path& path, Diagnostics& diags);

[[nodiscard]] const Shape& bundle_shape();
[[nodiscard]] nlohmann::ordered_json bundle_schema();

} // namespace kiln
