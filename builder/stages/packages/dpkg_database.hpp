// SPDX-License-Identifier: MIT
//
// dpkg's own records below var/lib/dpkg, written as dpkg's unpacking would leave them: status,
// info/*, triggers/*, so that the tree's real dpkg can configure what kiln unpacked. Formats:
// dpkg's source (lib/dpkg/dump.c, triglib.c), deb-triggers(5), dpkg-divert(1).
#pragma once

#include "stages/packages/package_file.hpp"
#include "tree/tree_root.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace kiln {

/// What unpacking one package gave.
struct UnpackedPackage {
    const PackageFile* package = nullptr;
    /// "/.", "/usr", "/usr/bin", ... in the order of the archive: the .list file.
    std::vector<std::string> paths;
    /// The .md5sums file of a package that brings none: dpkg writes its own.
    std::string md5sums = {};
};

/// What other packages' files have to know of a package of the tree.
struct KnownPackage {
    std::string version;
    std::vector<PackageVersions> replaces;
    bool is_removed = false; ///< but for its conffiles, which anybody may take over
};

class DpkgDatabase {
  public:
    /// `tree` must outlive this.
    explicit DpkgDatabase(const TreeRoot& tree);

    /// Whether the tree has a dpkg database already.
    [[nodiscard]] bool exists() const;
    /// Makes an empty one.
    void create() const;

    /// Where a path (with leading slash) goes when `package` brings it: dpkg-divert(1)'s answer.
    [[nodiscard]] std::string divert(const std::string& path, const std::string& package) const;
    /// Reads the diversions again; needed after scripts ran.
    void reload_diversions();

    /// The package (":" for the administrator) that diverts others' files of this path, if any.
    [[nodiscard]] std::optional<std::string> diverter_of(const std::string& path) const;

    /// Packages (info_name()) that have a path (with leading slash); several may have a folder, and
    /// a file that one of them diverts.
    [[nodiscard]] std::vector<std::string> owners_of(const std::string& path) const;
    void add_owner(const std::string& path, const std::string& info_name);
    /// Another package takes a file over (Replaces): it leaves the old owner's list.
    void remove_from_list(const std::string& path, const std::string& info_name);
    /// By name; nothing known is an empty value.
    [[nodiscard]] KnownPackage known(const std::string& package) const;
    /// Makes a package known that is being unpacked.
    void add_known(const PackageFile& package);

    /// Records packages as "install ok unpacked" and activates the triggers that their files and
    /// their own directives ask of configured packages.
    void record_unpacked(const std::vector<UnpackedPackage>& packages) const;

  private:
    void write_info(const UnpackedPackage& unpacked) const;
    void append_status(const std::vector<UnpackedPackage>& packages) const;
    void register_interests(const std::vector<UnpackedPackage>& packages) const;
    void activate_triggers(const std::vector<UnpackedPackage>& packages) const;
    void load_packages();
    void load_owners();

    struct Diversion {
        std::string to;
        std::string package; ///< the one whose file is not diverted; ":" for local diversions
    };

    const TreeRoot& tree_;
    std::map<std::string, Diversion, std::less<>> diversions_;
    std::map<std::string, std::vector<std::string>, std::less<>> owners_; ///< by path
    std::map<std::string, KnownPackage, std::less<>> packages_;           ///< by name
};

/// Paths of a package's conffiles, with leading slash.
[[nodiscard]] std::vector<std::string> conffiles_of(const PackageFile& package);

} // namespace kiln
