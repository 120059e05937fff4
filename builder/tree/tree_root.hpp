// SPDX-License-Identifier: MIT
//
// The root directory of a tree, and the only way to what is below it. Every path is resolved as
// the booted system would resolve it: symbolic links, absolute ones and ".." included, never lead
// out of the tree (openat2(2), RESOLVE_IN_ROOT). A path of a tree cannot be joined to a path of the
// build host, because no such path is available from here.
//
// Paths are those of the tree, with or without leading slash. "Links are followed" speaks of a
// symbolic link in the last component; those before it always are. Owners are the tree's ids.
// What cannot be done throws SystemError with the path and "of the tree".
#pragma once

#include "base/io/file.hpp"
#include "tree/tree_ids.hpp"

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// Who owns a file and what may be done with it.
struct Ownership {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint32_t mode = 0644;
};

class TreeRoot {
  public:
    /// Opens the directory, which must exist; it may be moved or mounted elsewhere afterwards.
    explicit TreeRoot(const fs::path& directory, TreeIds ids = {});

    [[nodiscard]] const TreeIds& ids() const noexcept { return ids_; }

    // Looking. What is not there, or is behind something that is not a directory, is not an error.

    /// Owner ids are the tree's. The link itself where the path is one.
    [[nodiscard]] std::optional<struct stat> look(std::string_view path) const;
    /// The same, links followed.
    [[nodiscard]] std::optional<struct stat> look_through(std::string_view path) const;

    [[nodiscard]] bool exists(std::string_view path) const { return look(path).has_value(); }

    /// Links are followed.
    [[nodiscard]] bool is_directory(std::string_view path) const;
    /// Links are followed.
    [[nodiscard]] bool is_regular_file(std::string_view path) const;
    /// Names in a directory, sorted; none when there is no such directory. Links are followed.
    [[nodiscard]] std::vector<std::string> names(std::string_view path) const;
    /// The content of a regular file of at most `kLargestText` bytes. Links are followed.
    [[nodiscard]] std::string read_text(std::string_view path) const;
    /// What a symbolic link points to.
    [[nodiscard]] std::string link_target(std::string_view path) const;
    /// The path without links before the last component, without leading slash. Throws when there
    /// is not such a directory.
    [[nodiscard]] std::string real_path(std::string_view path) const;

    static constexpr std::size_t kLargestText = std::size_t{64} << 20U;

    // Changing. Nothing that a link in the last component points to is changed unless it says so.

    /// Makes the directory; missing parents belong to root with mode 0755. One that exists gets
    /// this owner and mode, unless the path is a link to it.
    void make_directory(std::string_view path, const Ownership& ownership) const;
    /// Makes what is missing of the path, root's with mode 0755; what is there stays as it is.
    void make_directories(std::string_view path) const;
    /// Replaces or makes a file in one step; missing parents as above.
    void write_file(std::string_view path, Source& content, const Ownership& ownership) const;
    void write_file(std::string_view path, std::string_view text, const Ownership& ownership) const;
    /// The same for what a link in the last component points to.
    void
    write_through(std::string_view path, std::string_view text, const Ownership& ownership) const;
    /// Adds to a regular file that exists, or makes it (root's, 0644). Links are followed.
    void append(std::string_view path, std::string_view text) const;
    /// Makes a file that must not exist, with this owner, mode and time. Its parent must exist.
    void create_file(
        std::string_view path,
        Source& content,
        const Ownership& ownership,
        std::int64_t seconds) const;
    /// Replaces or makes a symlink. A directory with content in its place is an Error.
    void
    make_link(std::string_view path, const std::string& target, const Ownership& ownership) const;
    /// A further name for a file, in place of what was there.
    void make_hard_link(std::string_view existing, std::string_view path) const;
    /// Makes a named pipe in place of what was there.
    void make_fifo(std::string_view path, const Ownership& ownership) const;
    void rename(std::string_view from, std::string_view to) const;
    /// Removes a path with all below it; one that is not there is fine.
    void remove(std::string_view path) const;
    /// Takes the content of a regular file away; anything else, or nothing, stays as it is. Links
    /// are followed.
    void empty_file(std::string_view path) const;
    void set_ownership(std::string_view path, const Ownership& ownership) const;
    /// Sets the modification time.
    void set_time(std::string_view path, std::int64_t seconds) const;

  private:
    struct Place;
    [[nodiscard]] UniqueFd try_open(std::string_view path, std::uint64_t flags) const;
    [[nodiscard]] std::optional<Place> find_place(std::string_view path) const;
    [[nodiscard]] Place place_of(std::string_view path) const;
    [[nodiscard]] Place place_behind_links(std::string_view path) const;
    void make_parents(std::string_view path) const;
    void replace(const Place& place, Source& content, const Ownership& ownership) const;
    void own(int fd, std::string_view path, const Ownership& ownership) const;
    [[nodiscard]] struct stat in_tree(struct stat info) const;

    UniqueFd fd_;
    TreeIds ids_;
};

/// Makes a folder of kiln's own, with all in it, root's of the tree, so that programs in a sandbox
/// can write there. Follows nothing. Throws SystemError.
void give_to_tree(const fs::path& folder, const TreeIds& ids);

} // namespace kiln
