// SPDX-License-Identifier: MIT
//
// What the files of a bundle say of themselves, and what follows from it: who needs whom, what is
// missing, in which order they can be built.
#pragma once

#include "artifact/perl/cpan_mirror.hpp"
#include "lock/lockfile.hpp"
#include "perl/package.hpp"
#include "perl/prerequisites.hpp"
#include "recipe/artifacts/bundle.hpp"

#include <map>
#include <string>
#include <vector>

namespace kiln {

class BundleMembers {
  public:
    /// Reads perl's tarball and cpanfiles; all files of `bundle` must be in the pool.
    BundleMembers(const PerlBundle& bundle, const LockedSource& perl, const InputContext& in);

    /// Reads the files of these sources, several at a time.
    void read(const std::vector<LockedSource>& sources);
    /// As long as modules are missing that the mirror's index knows: adds the releases that have
    /// them, with what they need in turn.
    void complete_from(CpanMirror& mirror);

    /// Every source so far: perl, the distributions, and for each module that the bundle names the
    /// release that has it, as a source of kind "module".
    [[nodiscard]] std::vector<LockedSource> sources() const;
    /// Throws Error (exit code 3) with all needs that nothing meets, or all distributions that are
    /// there twice.
    [[nodiscard]] std::vector<LockedDistribution> in_build_order();

    [[nodiscard]] std::int64_t newest_time_of_perl() const { return perl_.newest; }

  private:
    struct Member {
        LockedSource source;
        std::vector<Alternatives> depends; ///< of a package
    };

    [[nodiscard]] BuildOrder resolve();
    [[nodiscard]] bool add_release_with(const std::string& module, CpanMirror& mirror);
    [[nodiscard]] const DistributionSpec* spec_of(const LockedSource& source) const;
    void state_needs();
    /// Throws Error (exit code 3) when two members are the same distribution, whose files would
    /// meet in the bundle.
    void check_names() const;

    const PerlBundle& bundle_;
    const InputContext& in_;
    LockedSource perl_source_;
    PerlSource perl_;
    std::vector<WantedModule> wanted_;
    std::vector<Member> files_;
    std::vector<BundleMember> members_;           ///< one for each of files_
    std::map<std::string, std::string> releases_; ///< module that the bundle names -> its path
    std::vector<std::string> faults_;
};

/// Kind of a LockedSource that says which release has a module.
inline constexpr const char* kModuleSource = "module";

} // namespace kiln
