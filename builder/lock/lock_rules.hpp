// SPDX-License-Identifier: MIT
//
// What the texts in a lock may look like. Many become paths, arguments of programs or lines of
// dpkg's records, and a lock is a file that strangers send: each is held to its grammar when it is
// read, wherever it is used later.
#pragma once

#include <cstdint>
#include <string_view>

namespace kiln {

/// One kind of text.
struct LockRule {
    std::string_view what; ///< for messages, with article: "a name"
    bool (*fits)(std::string_view text);
};

/// Names of recipes, stages, archives and kinds of sources: file names without surprises.
extern const LockRule kLockName;
extern const LockRule kLockArchitecture;
/// Debian policy 5.6.7.
extern const LockRule kLockPackageName;
/// Debian policy 5.6.12.
extern const LockRule kLockVersion;
extern const LockRule kLockSuite;
/// Below an archive: relative, stays there, no spaces.
extern const LockRule kLockPoolPath;
/// "20231115T101320Z"
extern const LockRule kLockSnapshot;
/// A name in a directory.
extern const LockRule kLockFileName;
extern const LockRule kLockBranch;
extern const LockRule kLockMultiArch;
/// Names of sources: also paths below a CPAN mirror and names of modules.
extern const LockRule kLockSourceName;
/// Versions and commits of sources, which need not be Debian's; may be empty.
extern const LockRule kLockWord;
/// URLs and paths of the build host; may be empty.
extern const LockRule kLockLocation;
/// One line of text.
extern const LockRule kLockLine;
extern const LockRule kLockTool;

/// Larger packages and sources do not occur.
constexpr std::uint64_t kMaxLockedSize = std::uint64_t{1} << 40U;
/// Seconds since 1970 as every format keeps them that an image is made of (gzip: 32 bits).
constexpr std::uint64_t kMaxLockedEpoch = 0xffff'ffff;

} // namespace kiln
