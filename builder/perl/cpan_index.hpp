// SPDX-License-Identifier: MIT
//
// The index of a CPAN mirror or DarkPAN, modules/02packages.details.txt (PAUSE writes it; described
// in PAUSE's own "02packages" documentation): which release has a module, and in which version.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace kiln {

struct CpanEntry {
    std::string version; ///< of the module; empty: it states none
    std::string path;    ///< below the mirror: "authors/id/R/RJ/RJBS/Process-Status-0.010.tar.gz"
};

class CpanIndex {
  public:
    /// Throws Error when the text is not such a index: `name` is what it calls it.
    [[nodiscard]] static CpanIndex parse(std::string_view text, const std::string& name);

    /// Nothing when no release has the module.
    [[nodiscard]] std::optional<CpanEntry> find(std::string_view module) const;

    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

  private:
    std::map<std::string, CpanEntry, std::less<>> entries_;
};

} // namespace kiln
