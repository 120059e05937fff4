// SPDX-License-Identifier: MIT
//
// Runs maintainer scripts: preinst by kiln, everything else through the tree's own dpkg. Services
// are kept from starting, failures are reported as package, script, exit code and last lines.
#pragma once

#include "stages/packages/package_file.hpp"
#include "stages/stage_context.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

class Configurer {
  public:
    enum class Force { none, depends };

    /// `packages`: all that the stage installs.
    Configurer(StageContext& context, const std::vector<PackageFile>& packages);
    Configurer(const Configurer&) = delete;
    Configurer& operator=(const Configurer&) = delete;
    /// Removes what scripts were run from.
    ~Configurer();

    void run_preinst(const PackageFile& package);
    void configure(const std::vector<std::string>& names, Force force);
    void configure_all();
    /// Throws Error when a package of the tree is in another state than installed.
    void audit();

  private:
    void run_dpkg(std::vector<std::string> args);
    void on_lines(std::string_view lines);

    StageContext& context_;
    std::set<std::string, std::less<>> packages_;
};

/// What dpkg says of the first failure in its output: "package 'x': postinst failed with exit
/// code 7"; an empty string when there is none.
[[nodiscard]] std::string describe_dpkg_failure(std::string_view output);

} // namespace kiln
