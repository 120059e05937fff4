// SPDX-License-Identifier: MIT
//
// What each stage made the last time that it ran: manifests only, kept longer than the trees. Equal
// keys must give equal trees; a stage that does not is found by this, even when its tree was pruned
// in between.
//
//     ROOT/made/KEY.zst    the manifest (tree/file_tree.hpp) of the stage's delta
#pragma once

#include "base/io/digest.hpp"
#include "base/io/file.hpp"
#include "tree/file_tree.hpp"

#include <cstdint>
#include <optional>

namespace kiln {

class MadeTrees {
  public:
    /// `root` is the cache's; the folder below it is made if needed.
    explicit MadeTrees(const fs::path& root);

    /// What the stage made last, without the contents. Nothing when it is not known, or when what
    /// is known cannot be read: it is a memory, not a promise.
    [[nodiscard]] std::optional<FileTree> find(const Digest& key) const;

    /// Remembers `delta` as the stage's. Throws SystemError.
    void keep(const Digest& key, const FileTree& delta) const;

    /// Forgets what no bake used since `time` (seconds since 1970).
    void prune(std::int64_t time) const;

  private:
    [[nodiscard]] fs::path path_of(const Digest& key) const;

    fs::path folder_;
};

} // namespace kiln
