// SPDX-License-Identifier: MIT
//
// Makes the directories of several stages visible as one tree.
#pragma once

#include "base/io/file.hpp"

#include <vector>

namespace kiln {

/// The directories of a tree that a stage works on.
struct TreeLayers {
    std::vector<fs::path> lowers; ///< of the stages before, the first stage first; only read
    fs::path upper;               ///< gets what is changed
    fs::path work;                ///< empty, on the same file system, for the mounter's own use
    fs::path root;                ///< an empty directory: where the tree is seen
};

class TreeMounter {
  public:
    TreeMounter() = default;
    TreeMounter(const TreeMounter&) = delete;
    TreeMounter& operator=(const TreeMounter&) = delete;
    virtual ~TreeMounter() = default;

    /// Throws Error.
    virtual void mount(const TreeLayers& layers) const = 0;
    /// Returns false, with errno set, when the tree is still there.
    [[nodiscard]] virtual bool unmount(const fs::path& root) const noexcept = 0;
};

/// Overlay mounts, for this process alone. Needs enter_build_namespace().
[[nodiscard]] const TreeMounter& overlay_mounter();

} // namespace kiln
