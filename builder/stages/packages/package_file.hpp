// SPDX-License-Identifier: MIT
//
// One .deb that is about to be installed: where it is and what its control data says.
#pragma once

#include "base/io/file.hpp"
#include "debian/deb.hpp"
#include "stages/stage.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace kiln {

struct PackageFile {
    fs::path path;
    DebControl control;
    std::string name;
    std::string version;
    std::string architecture;
    bool essential = false;
    bool multi_arch_same = false;
    std::vector<Alternatives> depends; ///< Depends and Pre-Depends; the lock has solved versions
    std::vector<Alternatives> pre_depends;
    std::vector<PackageVersions> replaces;
    std::set<std::string> provides;

    /// The name that dpkg gives files in its info directory: "libc6:amd64", "bash".
    [[nodiscard]] std::string info_name() const {
        return multi_arch_same ? name + ":" + architecture : name;
    }

    [[nodiscard]] bool has_script(std::string_view script) const {
        return control.files.find(std::string(script)) != control.files.end();
    }
};

/// Reads the control data of a package. Throws Error for damaged packages, naming the file.
[[nodiscard]] PackageFile read_package(const fs::path& path);

/// The same of a package of the lock. Throws Error (exit code 3) that names both when its control
/// data has another name, version or architecture than the lock.
[[nodiscard]] PackageFile read_locked_package(const LockedDeb& locked);

/// Who satisfies whom among packages that are installed together.
class DependencyIndex {
  public:
    explicit DependencyIndex(const std::vector<PackageFile>& packages);
    /// Indices of `start` and everything it depends on, within the set.
    [[nodiscard]] std::set<std::size_t> closure(const std::set<std::size_t>& start) const;
    /// Indices of the packages of the set that satisfy these relations.
    [[nodiscard]] std::set<std::size_t>
    satisfying(const std::vector<Alternatives>& relations) const;

  private:
    const std::vector<PackageFile>& packages_;
    std::map<std::string, std::size_t, std::less<>> by_name_;
};

} // namespace kiln
