// SPDX-License-Identifier: MIT
//
// Which files of a tree come out of Debian packages, as dpkg's database in the tree says: the lists
// (INFO/NAME.list), the digests (INFO/NAME.md5sums) and the conffiles in the status file.
#pragma once

#include "base/io/digest.hpp"
#include "tree/file_tree.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace kiln {

/// Where dpkg keeps what packages say of themselves: NAME.KIND or NAME:ARCHITECTURE.KIND.
inline constexpr std::string_view kDpkgInfo = "var/lib/dpkg/info/";

/// The package that such a file is of.
[[nodiscard]] std::string package_of_info_file(std::string_view path);

class ShippedFiles {
  public:
    /// Reads the database. Without one, or when its content is not at hand, nothing is shipped.
    /// Of `private_packages`, which not everybody has, no file counts as unchanged. `tree` must
    /// outlive this.
    explicit ShippedFiles(const FileTree& tree, const std::set<std::string>& private_packages = {});

    /// Whether a package has a file or directory of this path.
    [[nodiscard]] bool contains(const std::string& path) const { return paths_.contains(path); }

    /// Whether the file is as its package has it. Where the file's content is not at hand, being in
    /// a package is enough.
    [[nodiscard]] bool is_unchanged(const std::string& path, const Entry& entry) const;

    /// Whether a package ships a file of this content under another name. Packages copy a default
    /// configuration into /etc, often for one reader.
    [[nodiscard]] bool has_copy(const Entry& entry);

  private:
    void read_list(const std::string& text);
    void read_md5sums(const std::string& text);
    void read_conffiles(const std::string& text, const std::set<std::string>& private_packages);
    /// Packages may name a path through a link such as /lib.
    std::string in_tree(std::string_view path);

    const FileTree& tree_;
    std::map<std::string, std::string, std::less<>> directories_; ///< in_tree() of each
    std::set<std::string> paths_;
    std::map<std::string, std::string> md5sums_; ///< hex digits by path
    std::set<Digest> contents_;                  ///< of shipped files; empty until asked for
};

} // namespace kiln
