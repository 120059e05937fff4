// SPDX-License-Identifier: MIT
//
// The few things that inspection needs of an image's files, wherever they lie: in a tree that was
// read out, or behind the appliance.
#pragma once

#include "tree/file_tree.hpp"
#include "verify/read/guestfs.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kiln {

/// Paths are relative to the image's root, without a leading slash. Symbolic links are followed
/// within the image.
class ImageFiles {
  public:
    ImageFiles() = default;
    ImageFiles(const ImageFiles&) = delete;
    ImageFiles& operator=(const ImageFiles&) = delete;
    virtual ~ImageFiles() = default;

    /// Names in a directory, sorted; none when there is no such directory.
    [[nodiscard]] virtual std::vector<std::string> list(const std::string& directory) = 0;
    /// Content of a file; nothing when there is no such file.
    [[nodiscard]] virtual std::optional<std::string> read(const std::string& path) = 0;
};

/// A tree whose interesting entries have data or a source.
class TreeFiles final : public ImageFiles {
  public:
    /// `tree` must outlive this.
    explicit TreeFiles(const FileTree& tree) : tree_(tree) {}

    [[nodiscard]] std::vector<std::string> list(const std::string& directory) override;
    /// Nothing also when the content is not at hand.
    [[nodiscard]] std::optional<std::string> read(const std::string& path) override;

  private:
    const FileTree& tree_;
};

/// What is mounted in an appliance.
class GuestFiles final : public ImageFiles {
  public:
    /// `appliance` must outlive this.
    explicit GuestFiles(Appliance& appliance) : appliance_(appliance) {}

    [[nodiscard]] std::vector<std::string> list(const std::string& directory) override;
    [[nodiscard]] std::optional<std::string> read(const std::string& path) override;

  private:
    Appliance& appliance_;
};

/// The path that `path` leads to after all symbolic links, as a process with the tree for its root
/// would find it; nothing when it leads nowhere.
[[nodiscard]] std::optional<std::string>
resolve_path(const FileTree& tree, const std::string& path);

/// Content of a regular file, hard links included, at most `limit` bytes of it; nothing when
/// neither the entry nor the one it links to has its content at hand.
[[nodiscard]] std::optional<std::string>
read_content(const FileTree& tree, const Entry& entry, std::uint64_t limit = UINT64_MAX);

} // namespace kiln
