// SPDX-License-Identifier: MIT
//
// Stands in for overlay mounts, which need privileges.
#pragma once

#include "build/tree_mounter.hpp"

#include <vector>

namespace kiln::test {

/// Shows the directory that gets the changes as the whole tree: what earlier stages made is not
/// seen in it.
class DirectMounter final : public TreeMounter {
  public:
    void mount(const TreeLayers& layers) const override {
        fs::remove(layers.root);
        fs::create_directory_symlink(layers.upper, layers.root);
        mounted.push_back(layers);
    }

    [[nodiscard]] bool unmount(const fs::path& root) const noexcept override {
        std::error_code error;
        return fs::remove(root, error);
    }

    mutable std::vector<TreeLayers> mounted; ///< so far
};

} // namespace kiln::test
