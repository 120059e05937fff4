// SPDX-License-Identifier: MIT
//
// The lock: what a recipe asked for, every input of it with version, size and SHA-256, and the
// order in which apt would install the packages. Made by `kiln lock`, kept beside the recipe, read
// by everything else. Holds no mirror: a package is archive, suite and pool path.
#pragma once

#include "base/diagnostics.hpp"
#include "base/io/digest.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

struct LockedPackage {
    std::string package;
    std::string version;
    std::string architecture; ///< of the package: "all" or the lock's
    std::string archive;      ///< customary name, "debian-security"
    std::string suite;        ///< as in the recipe, "bookworm-security"
    std::string path;         ///< below the archive's base URL
    std::uint64_t size = 0;
    Digest sha256;
    // What installing without an index needs to know.
    bool essential = false;
    std::string multi_arch;  ///< "same", "foreign", "allowed" or empty
    std::string pre_depends; ///< the field as is, or empty

    bool operator==(const LockedPackage&) const = default;
};

/// What one packages stage installs, in apt's order of unpacking.
struct LockedStage {
    std::string branch;                ///< "common", "vm" or "oci"
    std::string stage;                 ///< its name in the recipe
    std::vector<std::string> packages; ///< names; the table has the rest

    bool operator==(const LockedStage&) const = default;
};

/// An input that the stages' package lists do not have.
struct LockedSource {
    std::string kind; ///< "git", "tarball"; of a bundle: "perl", "debian", "cpan", "package"
    std::string name;
    std::string version;      ///< commit of a git source, else the version or empty
    std::string location;     ///< URL or path as the recipe or an index names it; may be empty
    std::string archive = {}; ///< whose mirrors `location` is below; empty: it is alone
    std::string suite = {};   ///< of that archive
    std::uint64_t size = 0;   ///< 0 for git
    Digest sha256;            ///< of the file, or of a git commit's archive

    bool operator==(const LockedSource&) const = default;
};

/// A distribution of a perl bundle.
struct LockedDistribution {
    std::string source;             ///< name of its LockedSource
    std::string name;               ///< what CPAN calls it: "Try-Tiny"
    std::string version;            ///< its own, as it writes it
    std::string tool;               ///< "Makefile.PL", "Build.PL" or "none"
    std::vector<std::string> needs; ///< sources of the distributions that it is built on, sorted

    bool operator==(const LockedDistribution&) const = default;
};

/// One named part of what a recipe or another definition asked for, in words: what was asked then
/// is compared with what is asked now (lock/request_changes.hpp).
struct RequestPart {
    std::string part;              ///< unique in a lock: "stage 'perl' of branch 'oci'"
    std::vector<std::string> says; ///< what it is and its value: "package perl"

    bool operator==(const RequestPart&) const = default;
};

/// A Release file that was used.
struct LockedRelease {
    std::string archive;
    std::string suite;
    std::int64_t date = 0; ///< its Date, seconds since 1970

    bool operator==(const LockedRelease&) const = default;
};

/// What came out of building an artifact as it is locked.
struct LockedResult {
    Digest key;  ///< of all that went in
    Digest tree; ///< see FileTree::digest()

    bool operator==(const LockedResult&) const = default;
};

struct Lockfile {
    static constexpr std::uint64_t kFormat = 2;

    std::string recipe;               ///< the recipe's name, not its path
    std::string architecture;         ///< "amd64"
    std::uint64_t output_version = 0; ///< of the kiln that made it
    std::int64_t epoch = 0;           ///< source date epoch: newest Date of the Release files used
    std::string snapshot; ///< YYYYMMDDTHHMMSSZ at which a snapshot service has all packages
    std::vector<std::string> keyrings;   ///< file names of the keyrings that signed the archives
    std::vector<RequestPart> request;    ///< what the definition asked for, in its order
    std::vector<LockedRelease> releases; ///< in the order of the archives
    std::vector<LockedStage> stages;
    std::vector<LockedPackage> packages;           ///< sorted by name
    std::vector<LockedSource> sources;             ///< sorted by kind and name
    std::vector<LockedDistribution> distributions; ///< of a perl bundle, in build order
    /// Of an artifact, once it was built; not part of digest(), as it is not an input.
    std::optional<LockedResult> result;

    bool operator==(const Lockfile&) const = default;

    /// The package of that name. Null when there is none.
    [[nodiscard]] const LockedPackage* find(std::string_view package) const;
    /// The source of that name, of any kind. Null when there is none.
    [[nodiscard]] const LockedSource* find_source(std::string_view name) const;
    /// What a stage installs, in order. Throws Error (exit code 3) when the lock has no such stage:
    /// the recipe is newer than the lock.
    [[nodiscard]] std::vector<const LockedPackage*>
    packages_of(std::string_view branch, std::string_view stage) const;
    /// SHA-256 of the written form before `result` and the last member; identifies the lock.
    [[nodiscard]] Digest digest() const;
    /// SHA-256 of the written form before its last member, which states it.
    [[nodiscard]] Digest content_digest() const;
    /// The text of the file. REPRO: sorted tables, one package a line; equal locks give equal
    /// bytes.
    [[nodiscard]] std::string to_text() const;
};

/// Locks of ten thousand packages stay far below this.
constexpr std::uint64_t kMaxLockBytes = std::uint64_t{64} << 20U;

/// Reads what to_text() wrote. All faults go to `diagnostics`: syntax, unknown or missing keys,
/// texts that are not as lock/lock_rules.hpp says, duplicates, packages of a stage that the
/// table lacks, distributions before what they need or without a source, and a content that does
/// not fit the digest in the last line (a lock that was edited or truncated).
[[nodiscard]] Lockfile
parse_lockfile(std::shared_ptr<const SourceFile> file, Diagnostics& diagnostics);

/// Reads a file. Throws Error (exit code 3) with all faults, when it is not a regular file or
/// larger than kMaxLockBytes, or with a hint to `kiln lock` when there is no such file.
[[nodiscard]] Lockfile load_lockfile(const std::string& path);

/// What differs between two locks, for people: "+ nginx 1.22.1-9", "- libfoo 1", "~ nginx 1 -> 2",
/// packages first, then sources. Empty when all inputs are the same.
[[nodiscard]] std::vector<std::string>
describe_changes(const Lockfile& before, const Lockfile& after);

} // namespace kiln
