// SPDX-License-Identifier: MIT
//
// Writes single files into a mounted tree. Every path is resolved inside the tree, so that neither
// an absolute symlink nor ".." of an image ever leads to the build host.
#pragma once

#include "base/file.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace kiln {

/// Who owns a file and what may be done with it.
struct Ownership {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint32_t mode = 0644;
};

class TreeWriter {
  public:
    explicit TreeWriter(fs::path root) : root_(std::move(root)) {}

    /// Where `path` (absolute in the tree) is on the build host: symlinks of its parents resolved
    /// inside the tree, the last component as it is. Throws SystemError when a parent is missing.
    [[nodiscard]] fs::path resolve(std::string_view path) const;
    /// The same, relative to the root, without leading slash.
    [[nodiscard]] std::string resolve_relative(std::string_view path) const;

    /// Makes the directory; missing parents belong to root with mode 0755. One that exists gets
    /// this owner and mode.
    void make_directory(std::string_view path, const Ownership& ownership) const;
    /// Replaces or makes a file; missing parents as above.
    void write_file(std::string_view path, Source& content, const Ownership& ownership) const;
    void write_file(std::string_view path, std::string_view text, const Ownership& ownership) const;
    /// Replaces or makes a symlink. A real directory in its place is an Error.
    void make_link(std::string_view path, const std::string& target, const Ownership& owner) const;
    /// Removes a path with all below it; one that is not there is fine.
    void remove(std::string_view path) const;
    [[nodiscard]] bool exists(std::string_view path) const;
    void set_ownership(std::string_view path, const Ownership& ownership) const;

  private:
    void make_parents(std::string_view path) const;

    fs::path root_;
};

} // namespace kiln
