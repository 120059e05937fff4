// SPDX-License-Identifier: MIT
//
// A file tree as ext4 sees it: which path has which inode number, what every directory's blocks
// hold, and how many blocks all of it takes. No content is read for that.
#pragma once

#include "disk/ext4/ext4_directory.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::ext4 {

/// One inode that comes from the tree.
struct Node {
    std::string_view path;
    const Entry* entry = nullptr;
    std::uint32_t number = 0;
    std::uint32_t links = 1;
};

struct PlanParams {
    std::array<std::uint8_t, 16> hash_seed{};
    std::int64_t epoch = 0; ///< times of lost+found, and of the root if the tree states none
};

/// Refers into the tree it was made from.
/// REPRO: numbers follow (stage, path), so that what a late stage adds comes last.
class TreePlan {
  public:
    /// Throws Error when the tree is no tree: whiteouts, missing parents, names that are too long.
    TreePlan(const FileTree& tree, const PlanParams& params);
    TreePlan(const TreePlan&) = delete;
    TreePlan& operator=(const TreePlan&) = delete;
    ~TreePlan() = default;

    /// In the order of their numbers, but root and lost+found first.
    [[nodiscard]] const std::vector<Node>& nodes() const noexcept { return nodes_; }

    /// Those that late stages touched last, be it by a new name in them.
    [[nodiscard]] const std::vector<DirectoryPlan>& directories() const noexcept {
        return directories_;
    }

    /// Highest inode number in use.
    [[nodiscard]] std::uint32_t last_inode() const noexcept { return last_inode_; }

    /// Blocks kept at the front of the file system for directories, with some room to grow.
    [[nodiscard]] std::uint64_t directory_region() const;
    /// Upper bound of the blocks of files, symlinks, attributes and extent trees.
    [[nodiscard]] std::uint64_t content_bound() const;

  private:
    void add_node(std::string_view path, const Entry& entry, std::uint32_t number);
    void number_nodes(const FileTree& tree);
    void build_directories(const FileTree& tree, const PlanParams& params);

    Entry root_;
    Entry lost_found_;
    std::vector<Node> nodes_;
    std::vector<DirectoryPlan> directories_;
    std::uint32_t last_inode_ = 0;
};

/// Where a node's content begins: at the next multiple of this many blocks. Content that goes or
/// comes then moves what lies behind it by whole clusters of a qcow2 (64 KiB), if at all, so that
/// most are found deflated in the cache.
class ContentAlignment {
  public:
    /// For the next node of the plan, in order; 1 when it follows the one before.
    [[nodiscard]] std::uint64_t before(const Node& node);

  private:
    std::uint32_t stage_ = 0;
    std::string_view place_;
};

} // namespace kiln::ext4
