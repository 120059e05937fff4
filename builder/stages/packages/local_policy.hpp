// SPDX-License-Identifier: MIT
//
// What the tree's administrator has configured in dpkg for files that packages bring: owners and
// modes by dpkg-statoverride(1), paths to leave out and permission to overwrite by dpkg.cfg(5). And
// which numbers the names of owners in packages have in this tree.
#pragma once

#include "stages/accounts.hpp"
#include "stages/packages/deb_staging.hpp"
#include "tree/tree_root.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

class LocalPolicy {
  public:
    /// Reads the tree's files as they are now. `tree` must outlive this. Throws Error for an
    /// override that cannot be understood or names an unknown user.
    explicit LocalPolicy(const TreeRoot& tree);

    /// Whether the member is left out (path-exclude, path-include). Folders that may lead to
    /// something that is not are kept.
    [[nodiscard]] bool excludes(const StagedMember& member) const;
    /// Owner and mode that a member gets: an override's, else those of the archive's names that
    /// the tree has, else the archive's numbers.
    [[nodiscard]] Ownership ownership_of(const StagedMember& member);

    /// Whether packages may overwrite each other's files (force-overwrite).
    [[nodiscard]] bool overwrites() const noexcept { return overwrites_; }

  private:
    struct Filter {
        bool include = false;
        std::string pattern;
    };

    void read_settings(const std::string& path);
    void apply_setting(std::string_view name, std::string_view value);
    void read_overrides();
    [[nodiscard]] std::optional<std::uint32_t> user(const std::string& name);
    [[nodiscard]] std::optional<std::uint32_t> group(const std::string& name);

    using Ids = std::map<std::string, std::optional<std::uint32_t>, std::less<>>;

    const TreeRoot& tree_;
    AccountFiles accounts_;
    Ids users_;
    Ids groups_;
    std::vector<Filter> filters_; ///< the last one that matches counts
    std::map<std::string, Ownership, std::less<>> overrides_;
    bool overwrites_ = false;
};

} // namespace kiln
