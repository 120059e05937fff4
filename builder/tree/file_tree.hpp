// SPDX-License-Identifier: MIT
//
// A file system tree as data: what every writer gets and the only thing it sees. Sorted bytewise by
// path, every owner, mode, time and extended attribute stated, contents named by digest.
#pragma once

#include "base/io/digest.hpp"
#include "base/io/stream.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace kiln {

enum class FileType {
    regular,
    directory,
    symlink,
    char_device,
    block_device,
    fifo,
    socket,
    whiteout, ///< only in deltas: the path does not exist any more
};

/// Extended attributes by full name ("security.capability", "user.x"); values are raw bytes.
using Xattrs = std::map<std::string, std::string>;

/// One path of a tree.
struct Entry {
    FileType type = FileType::regular;
    std::uint32_t mode = 0644; ///< permission bits, 07777
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::int64_t mtime = 0; ///< seconds since 1970-01-01 UTC
    std::uint64_t size = 0; ///< bytes of content; regular files only
    Digest content;         ///< regular files only
    std::string target;     ///< symlinks: what they point to
    /// Hard links: the path of the group's first member in tree order, which holds content, owner,
    /// mode and xattrs; empty for that member and for files with one name.
    std::string hardlink_to;
    std::uint32_t device_major = 0;
    std::uint32_t device_minor = 0;
    Xattrs xattrs;
    bool opaque = false; ///< only in deltas: a directory that hides what it held before

    /// Where the content is on the build host. Not part of the tree's identity.
    std::filesystem::path source;
    /// Content held in memory instead of `source` (tests, generated files). Not part of the
    /// identity.
    std::shared_ptr<const std::string> data;
    /// Index of the stage that brought this state of the path. Not part of the identity; writers
    /// may use it to keep what earlier stages made in its place.
    std::uint32_t stage = 0;

    /// Equal identity: everything but source, data and stage.
    [[nodiscard]] bool same_as(const Entry& other) const;
};

/// Opens the content of a regular file. Throws SystemError when it is gone.
[[nodiscard]] std::unique_ptr<Source> open_content(const Entry& entry);

/// Paths are relative, without leading or trailing slash; "" is the root directory. std::map with
/// bytewise order: parents come before their children.
class FileTree {
  public:
    using Map = std::map<std::string, Entry, std::less<>>;

    [[nodiscard]] const Map& entries() const noexcept { return entries_; }

    [[nodiscard]] Map& entries() noexcept { return entries_; }

    [[nodiscard]] const Entry* find(std::string_view path) const;

    void put(std::string path, Entry entry) { entries_[std::move(path)] = std::move(entry); }

    /// Removes the path and everything below it.
    void erase_tree(std::string_view path);
    /// Replaces states by those of `delta`, as an overlay mount would: whiteouts remove, opaque
    /// directories hide. Entries taken over get `stage` as their stage.
    void apply(const FileTree& delta, std::uint32_t stage);

    /// Digest over identity of all entries (see write_manifest).
    [[nodiscard]] Digest digest() const;
    /// Sum of the sizes of regular files, hard links counted once.
    [[nodiscard]] std::uint64_t content_bytes() const;

  private:
    Map entries_;
};

/// The canonical text form, one line per entry in tree order; FileTree::digest() is the SHA-256 of
/// these bytes. Fields separated by one space, bytes outside 0x21..0x7e and '%' as %XX:
///     TYPE MODE UID GID MTIME SIZE CONTENT PATH [key=value ...]
void write_manifest(const FileTree& tree, Sink& sink);
/// Reads what write_manifest wrote. `content_root`, if not empty, gives regular files their source
/// (content_root/PATH). Throws Error on a malformed line.
[[nodiscard]] FileTree
parse_manifest(std::string_view text, const std::filesystem::path& content_root);

/// Parent of a relative path; "" for a top-level name.
[[nodiscard]] std::string_view parent_path(std::string_view path);
[[nodiscard]] std::string_view base_name(std::string_view path);
/// One letter: f d l c b p s w.
[[nodiscard]] char type_letter(FileType type);

} // namespace kiln
