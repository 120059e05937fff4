// SPDX-License-Identifier: MIT
//
// Debian binary packages, deb(5): an ar archive of debian-binary, control.tar.* and data.tar.*.
// Reads them without dpkg; knows nothing of installing.
#pragma once

#include "base/io/stream.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

class ArchiveReader;

struct DebControl {
    /// Files of the control archive by name ("control", "postinst", "md5sums", ...).
    std::map<std::string, std::string> files;
    std::map<std::string, std::uint32_t> modes;
    std::filesystem::path path; ///< for messages

    /// A field of the control paragraph, continuation lines joined by newlines; empty if absent.
    [[nodiscard]] std::string field(std::string_view name) const;
    /// The same; throws Error naming the package file if it is absent.
    [[nodiscard]] std::string require_field(std::string_view name) const;
};

/// One alternative of a dependency, without version and architecture.
using Alternatives = std::vector<std::string>;

/// Relations of packages (deb-control(5)): "a (>= 1) | b, c:any" -> {{a, b}, {c}}.
[[nodiscard]] std::vector<Alternatives> parse_relations(std::string_view text);

/// A package in versions that a relation asks for.
struct PackageVersions {
    std::string name;
    std::string relation = {}; ///< "<<", "<=", "=", ">=" or ">>"; empty: every version
    std::string version = {};

    [[nodiscard]] bool include(std::string_view package, std::string_view its_version) const;
};

/// Relations without alternatives, such as Replaces: "a (<< 1), b" -> a below 1, every b.
[[nodiscard]] std::vector<PackageVersions> parse_versioned_relations(std::string_view text);

/// Throws Error "'x.deb' is not a Debian package" or "... is damaged: ...", the latter also when
/// the control archive has other members than plain files of bounded size and number.
[[nodiscard]] DebControl read_deb_control(const std::filesystem::path& path);

/// Opens the data archive and hands it to `use`. Errors as above.
void read_deb_data(
    const std::filesystem::path& path, const std::function<void(ArchiveReader&)>& use);

} // namespace kiln
