// SPDX-License-Identifier: MIT
//
// Which of two packages with the same path has the file: dpkg's rules of diversions and Replaces
// (src/main/archives.c; Debian policy 7.6.1).
#pragma once

#include "stages/packages/dpkg_database.hpp"
#include "stages/packages/package_file.hpp"

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace kiln {

class FileClaims {
  public:
    enum class Verdict {
        place,     ///< the package's file goes into the tree
        keep_other ///< a package that replaces this one has it already
    };
    enum class Overwrite { refused, allowed };

    /// `database` must outlive this.
    explicit FileClaims(DpkgDatabase& database) : database_(database) {}

    /// Decides on a path that is not a folder, and records its owner. Throws Error when another
    /// package has it and neither replaces the other.
    [[nodiscard]] Verdict
    claim(const PackageFile& package, const std::string& path, Overwrite overwrite);
    /// Takes what later packages of a batch took over from earlier ones out of the latter's lists.
    void settle(std::vector<UnpackedPackage>& unpacked);

  private:
    DpkgDatabase& database_;
    std::set<std::pair<std::string, std::string>> taken_over_; ///< old owner, path; of one batch
};

} // namespace kiln
