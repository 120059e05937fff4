// SPDX-License-Identifier: MIT
//
// Puts packages' files into a tree without dpkg: contents are written on all cores to a staging
// directory of the tree, then moved to their names one package after the other in the lock's order,
// so that the result does not depend on timing. Runs no scripts.
#pragma once

#include "stages/packages/deb_staging.hpp"
#include "stages/packages/dpkg_database.hpp"
#include "stages/packages/file_claims.hpp"
#include "stages/packages/local_policy.hpp"
#include "stages/stage_context.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace kiln {

class Unpacker {
  public:
    /// Makes use of packages that are the context's staged_data.
    Unpacker(StageContext& context, DpkgDatabase& database);
    Unpacker(const Unpacker&) = delete;
    Unpacker& operator=(const Unpacker&) = delete;
    ~Unpacker();

    /// Unpacks these packages in this order. `on_done(i)` is called after each.
    [[nodiscard]] std::vector<UnpackedPackage> unpack(
        const std::vector<const PackageFile*>& packages,
        const std::function<void(std::size_t)>& on_done);

    /// Forget what is known of the tree's links, accounts and settings; needed after scripts ran.
    void forget_tree() {
        real_directories_.clear();
        policy_.reset();
    }

  private:
    [[nodiscard]] StagedPackage take_staged(const PackageFile& package) const;
    UnpackedPackage place_package(const PackageFile& package, const StagedPackage& staged);
    /// Notes the path unless another package keeps it.
    void place_member(UnpackedPackage& unpacked, const StagedMember& member);
    const std::string& remember_md5(const StagedMember& member);
    /// Whether the path is a folder already, which stays as it is.
    [[nodiscard]] bool keeps_folder(const StagedMember& member, const std::string& at) const;
    void place_file(const StagedMember& member, const std::string& at, const Ownership& ownership);
    void place_regular(
        const StagedMember& member, const std::string& at, const Ownership& ownership) const;
    void
    place_hardlink(const StagedMember& member, const std::string& at, const Ownership& ownership);
    [[nodiscard]] LocalPolicy& policy();
    /// Where a path of the tree (with leading slash) really is: its parent's symlinks resolved
    /// inside the tree. Relative to the root, without leading slash.
    [[nodiscard]] std::string real_path(const std::string& path);

    const TreeRoot& tree_;
    unsigned jobs_;
    DpkgDatabase& database_;
    FileClaims claims_;
    std::optional<LocalPolicy> policy_;
    KeptTimes& kept_times_;
    StagedPackages* ahead_;
    std::map<std::string, std::string, std::less<>> real_directories_;
    std::map<std::string, std::string> placed_; ///< within one package: archive path -> real path
    std::map<std::string, std::string> md5s_;   ///< within one package, by archive path
    std::vector<std::string> conffiles_;        ///< of the package being placed, sorted
};

} // namespace kiln
