// SPDX-License-Identifier: MIT
//
// What apt's solver is asked for and what it answers, as plain values.
#pragma once

#include "debian/apt_proxy.hpp"
#include "debian/mirrors.hpp"
#include "lock/lockfile.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace kiln {

/// Where Debian's keyrings lie on a build host (package debian-archive-keyring).
inline constexpr const char* kKeyringFolder = "/usr/share/keyrings";

struct SolveArchive {
    ArchiveId id;
    std::string base;              ///< URL of the mirror, without a slash at the end
    std::filesystem::path keyring; ///< absolute; the only keys that may sign this archive
    /// Accept a Release file after its Valid-Until (a frozen mirror, a snapshot).
    bool allow_expired = false;
};

/// One of `suite` and `version` is set.
struct SolvePin {
    std::string package; ///< name or glob, "*" for all
    std::string suite;   ///< suite or code name of an archive
    std::string version; ///< or glob
    int priority = 500;  ///< see apt_preferences(5)
};

struct SolveStage {
    std::string branch; ///< "common", "vm" or "oci"; the last two start from the end of the first
    std::string name;
    std::vector<std::string> install; ///< NAME, NAME=VERSION or NAME/SUITE
    bool recommends = false;
    std::string where; ///< position in the recipe, for messages: "recipes/pause.yaml:12:7"
};

/// A source package whose upstream tarball is wanted.
struct SolveSource {
    std::string kind; ///< of the LockedSource that it becomes
    std::string package;
    std::string suite;   ///< empty: any, the first source archive that has it
    std::string version; ///< upstream's; empty: any
    std::string where;   ///< as SolveStage::where
};

struct SolveRequest {
    std::string recipe; ///< for hints
    std::string architecture;
    std::vector<SolveArchive> archives; ///< of packages in several, the first is written down
    std::vector<SolveArchive> source_archives; ///< for `sources`, the preferred first
    std::vector<SolvePin> pins;
    std::vector<SolveStage> stages;
    std::vector<SolveSource> sources;
    /// The first stage of a branch line also gets all Essential packages.
    bool essential = true;
    /// Packages that must keep their version (`--update`: all of the old lock but the named ones).
    std::vector<LockedPackage> keep;
    /// Lists are kept here, one directory for each set of archives; apt asks whether they changed.
    std::filesystem::path cache;
    std::vector<AptSetting> proxy_settings; ///< for apt.conf
    EnvironmentProxies proxies;             ///< where the settings say nothing
};

struct SolveResult {
    std::int64_t epoch = 0;              ///< newest Date of the Release files
    std::string snapshot;                ///< see Lockfile::snapshot
    std::vector<std::string> keyrings;   ///< file names, sorted
    std::vector<LockedRelease> releases; ///< one for each suite, source archives last
    std::vector<LockedStage> stages;     ///< in the order of the request
    std::vector<LockedPackage> packages; ///< sorted by name
    /// For each source of the request its releases that will do, the preferred first.
    std::vector<std::vector<LockedSource>> sources;
};

} // namespace kiln
