// SPDX-License-Identifier: MIT
//
// A CPAN mirror or DarkPAN: looks up which release has a module and brings releases into the pool.
#pragma once

#include "inputs/input_context.hpp"
#include "lock/lockfile.hpp"
#include "perl/cpan_index.hpp"

#include <optional>
#include <string>

namespace kiln {

class CpanMirror {
  public:
    /// `in.cpan` names it; `in` must outlive this.
    explicit CpanMirror(const InputContext& in) : in_(in) {}

    [[nodiscard]] bool is_given() const { return !in_.cpan.url.empty(); }

    /// The release that has a module, by the mirror's index, which is fetched once. Nothing when no
    /// release has it or no mirror is given.
    [[nodiscard]] std::optional<CpanEntry> find(const std::string& module);

    /// Fetches a release and pins it. With a key (`in.cpan.keyring`), the file must be in its
    /// author's CHECKSUMS, which must be signed by that key and be of that folder. Throws Error
    /// otherwise.
    /// Without one, and with CPAN anywhere but on this machine, it warns.
    [[nodiscard]] LockedSource pin(const std::string& path);

    /// Says so when a keyring was given and no release had to be verified.
    void warn_unused_keyring() const;

  private:
    [[nodiscard]] std::string fetch_text(const std::string& path) const;
    void verify_checksums(const std::string& path, const Digest& digest) const;

    const InputContext& in_;
    std::optional<CpanIndex> index_;
    bool has_warned_ = false;
    bool has_verified_ = false;
};

/// What an author's CHECKSUMS states of a file.
struct CpanChecksum {
    std::optional<Digest> sha256;
    std::optional<std::string> folder; ///< "J/JD/JDOE", the folder that the CHECKSUMS are of
};

/// CHECKSUMS is a perl hash, for each file an entry
///     'NAME' => { 'cpan_path' => 'J/JD/JDOE', ... 'sha256' => 'HEX', ... },
/// (CPAN::Checksums(3perl)).
[[nodiscard]] CpanChecksum
find_cpan_checksum(const std::string& checksums, const std::string& file);

/// "authors/id/J/JD/JDOE/Some-Dist-v1.02.tar.gz" -> "v1.02"; empty when it has none.
[[nodiscard]] std::string version_in_path(const std::string& path);

} // namespace kiln
