// SPDX-License-Identifier: MIT
//
// A CPAN mirror or DarkPAN: looks up which release has a module and brings releases into the pool.
#pragma once

#include "formats/lockfile.hpp"
#include "perl/cpan_index.hpp"
#include "pipeline/locked_inputs.hpp"

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
    /// author's CHECKSUMS, which must be signed by that key. Throws Error otherwise.
    [[nodiscard]] LockedSource pin(const std::string& path);

  private:
    [[nodiscard]] std::string fetch_text(const std::string& path) const;
    void verify_checksums(const std::string& path, const Digest& digest) const;

    const InputContext& in_;
    std::optional<CpanIndex> index_;
};

/// "authors/id/J/JD/JDOE/Some-Dist-v1.02.tar.gz" -> "v1.02"; empty when it has none.
[[nodiscard]] std::string version_in_path(const std::string& path);

} // namespace kiln
