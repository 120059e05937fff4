// SPDX-License-Identifier: MIT
//
// The words that Debian packages bring: a secret is made of others. For files that a program made
// of what its package has, such as a configuration from the here-document of a postinst.
#pragma once

#include "tree/file_tree.hpp"
#include "verify/lint/shipped_files.hpp"

#include <set>
#include <string>
#include <string_view>
#include <unordered_set>

namespace kiln {

class ShippedText {
  public:
    /// Reads what packages' scripts, debconf templates and unchanged files in /etc say; those of
    /// `private_packages`, which not everybody has, count for nothing. All must outlive this.
    ShippedText(
        const FileTree& tree,
        const ShippedFiles& shipped,
        const std::set<std::string>& private_packages);

    /// Whether the file is text in which nothing is new: every word that is long enough for a
    /// secret is in the text of packages or in a shipped file of the same name, and every line
    /// about passwords and keys is one of theirs as it is. Blocks of certificates, public keys and
    /// parameters count for nothing (RFC 7468). Never for a file whose name says that it is a key.
    [[nodiscard]] bool explains(const std::string& path, std::string_view content);

  private:
    void read(const Entry& entry);
    void read_files_called(std::string_view name);

    const FileTree& tree_;
    const ShippedFiles& shipped_;
    std::unordered_set<std::string> words_;
    std::unordered_set<std::string> telling_lines_;
    std::set<std::string, std::less<>> names_read_; ///< names of which all shipped files are read
};

} // namespace kiln
