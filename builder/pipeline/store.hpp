// SPDX-License-Identifier: MIT
//
// The store of stage trees: what each stage changed, kept as the upper directory of an overlay
// mount under the stage's key. Restoring a tree is a mount, not a copy.
//
//     ROOT/stages/KEY/tree        the upper directory
//     ROOT/stages/KEY/manifest    its FileTree (formats/file_tree.hpp)
//     ROOT/stages/KEY/stage.json  what it was: kind, name, seconds, sizes
//     ROOT/stages/KEY/details.json  more, of kinds that have more to tell
//     ROOT/work/NAME/             work under way, locked by its process; swept when nobody holds it
#pragma once

#include "base/digest.hpp"
#include "base/file.hpp"
#include "formats/file_tree.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kiln {

/// What is told of a stored tree.
struct StageInfo {
    std::string recipe;
    std::string kind;
    std::string name;
    double seconds = 0;       ///< that making it took
    std::uint64_t bytes = 0;  ///< content of its files
    std::uint64_t files = 0;  ///< entries in its delta
    std::string details = {}; ///< JSON of whoever made it, kept beside it; or empty
};

struct StoredStage {
    Digest key;
    StageInfo info;
    std::int64_t last_used = 0; ///< seconds since 1970
};

/// A folder of its own below the store's work, locked, which keeps it from the sweep while this
/// lives.
class WorkFolder {
  public:
    explicit WorkFolder(const fs::path& work_root) : WorkFolder(claim(work_root)) {}

    [[nodiscard]] const fs::path& path() const noexcept { return folder_.path(); }

    void keep() noexcept { folder_.keep(); }

  private:
    WorkFolder(TempDir folder, FileLock lock)
        : folder_(std::move(folder)), lock_(std::move(lock)) {}

    static WorkFolder claim(const fs::path& work_root);

    TempDir folder_;
    FileLock lock_;
};

class Store;

/// A tree that a stage is working on: its upper directory above those of earlier stages, mounted
/// for this process alone. Discarded by the destructor unless committed or kept.
class Workspace {
  public:
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;
    ~Workspace();

    /// The mounted tree.
    [[nodiscard]] const fs::path& root() const noexcept { return root_; }

    /// The directory that holds what the stage changed.
    [[nodiscard]] const fs::path& upper() const noexcept { return upper_; }

    /// Takes the mount away; root() must not be used afterwards.
    void unmount();
    /// Leaves everything in place (--keep-work). Returns the folder.
    fs::path keep();

  private:
    friend class Store;
    Workspace(
        const fs::path& work_root, const std::vector<fs::path>& lowers, const fs::path& groundwork);
    void mount(const std::vector<fs::path>& lowers) const;

    WorkFolder folder_;
    fs::path upper_;
    fs::path root_;
    bool mounted_ = false;
};

class Store {
  public:
    /// Makes the directories; sweeps work that a killed process left.
    explicit Store(fs::path root);

    [[nodiscard]] const fs::path& root() const noexcept { return root_; }

    [[nodiscard]] bool contains(const Digest& key) const;
    [[nodiscard]] fs::path tree_of(const Digest& key) const;
    /// The stored delta with sources set; marks the stage as used now.
    [[nodiscard]] FileTree load(const Digest& key) const;

    /// A workspace above the trees of `below` (the first stage first). Unless empty, `groundwork`
    /// is a folder that moves into the tree, as kGroundworkFolder. Needs enter_build_namespace().
    [[nodiscard]] std::unique_ptr<Workspace>
    begin(const std::vector<Digest>& below, const fs::path& groundwork = {}) const;

    /// A place on the store's file system for work that is not a stage's tree.
    [[nodiscard]] std::unique_ptr<WorkFolder> begin_work() const {
        return std::make_unique<WorkFolder>(root_ / "work");
    }

    /// Keeps what a workspace made under `key`; somebody else having made it meanwhile is fine.
    void
    commit(Workspace& workspace, const Digest& key, const FileTree& delta, const StageInfo& info)
        const;
    /// The same with a folder below begin_work(), which moves into the store.
    void
    commit(const fs::path& tree, const Digest& key, const FileTree& delta, const StageInfo& info)
        const;
    /// The details of a stored tree; empty when it has none.
    [[nodiscard]] std::string details_of(const Digest& key) const;

    [[nodiscard]] std::vector<StoredStage> list() const;
    void remove(const Digest& key) const;

  private:
    [[nodiscard]] fs::path folder_of(const Digest& key) const;
    void sweep() const;

    fs::path root_;
};

} // namespace kiln
