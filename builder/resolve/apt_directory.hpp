// SPDX-License-Identifier: MIT
//
// A private apt directory: own sources, keys, preferences, lists and dpkg status. Runs apt-get in
// it and takes its answers apart.
#pragma once

#include "base/io/file.hpp"
#include "base/process/process.hpp"
#include "debian/deb822.hpp"
#include "resolve/solve_request.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// A line "Inst NAME (VERSION ORIGIN... [ARCH])" of a simulation.
struct AptInstall {
    std::string package;
    std::string version;
    std::string architecture;
    bool replaces = false; ///< another version of it was installed
    bool operator==(const AptInstall&) const = default;
};

/// The packages that `apt-get -s` would unpack, in its order; other lines are passed over.
[[nodiscard]] std::vector<AptInstall> parse_simulation(std::string_view output);

/// Seconds since 1970 of a Release file's "Date: Sat, 09 May 2026 09:47:45 UTC", or GMT. Throws
/// Error.
[[nodiscard]] std::int64_t parse_release_date(std::string_view release, const std::string& name);

class AptDirectory {
  public:
    enum class Index { packages, sources };

    /// A Packages or Sources file of the lists.
    struct List {
        std::size_t archive; ///< index into the request's archives, or source archives
        std::filesystem::path index;
        std::filesystem::path release; ///< InRelease or Release
    };

    /// Waits while another kiln uses the same directory. `request` must outlive this.
    AptDirectory(const SolveRequest& request, ProcessRunner& runner);

    /// `apt-get update`; anything short of complete, verified lists is an Error.
    void update();
    [[nodiscard]] std::vector<List> lists(Index which);
    /// `apt-get -s install`: what would be unpacked on top of `installed`. Throws Error with apt's
    /// words when it cannot be done.
    [[nodiscard]] std::vector<AptInstall> simulate(
        const std::vector<std::string>& install,
        const std::vector<Deb822Paragraph>& installed,
        bool recommends);

  private:
    void write_configuration() const;
    void write_sources() const;
    void write_preferences() const;
    [[nodiscard]] List read_target(const std::string& line, Index which) const;
    [[nodiscard]] ProcessResult apt_get(std::vector<std::string> args);

    const SolveRequest& request_;
    ProcessRunner& runner_;
    std::filesystem::path path_;
    FileLock lock_;
};

} // namespace kiln
