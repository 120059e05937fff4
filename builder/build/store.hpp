// SPDX-License-Identifier: MIT
//
// The store of stage trees: what each stage changed, kept as the upper directory of an overlay
// mount under the stage's key. Restoring a tree is a mount, not a copy.
//
// All of it is for its owner alone, since trees hold programs that are set-user-id. Each running
// kiln notes which stages it uses, and nobody removes those.
//
//     ROOT/stages/KEY/tree        the upper directory. KEY is followed by "-" and the first of the
//                                 ids that own its files, when root made it
//     ROOT/stages/KEY/manifest    its FileTree (tree/file_tree.hpp)
//     ROOT/stages/KEY/stage.json  what it was: kind, name, seconds, sizes
//     ROOT/stages/KEY/details.json  more, of kinds that have more to tell
//     ROOT/work/NAME/             work under way, locked by its process; swept when nobody holds it
//     ROOT/work/NAME/uses/KEY     that process reads this stage
//     ROOT/kept/NAME/             of a failed stage (--keep-work), until somebody removes it
//     ROOT/store.lock             held shared to begin a use, alone to remove a stage
#pragma once

#include "base/io/digest.hpp"
#include "base/io/file.hpp"
#include "build/tree_mounter.hpp"
#include "tree/file_tree.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace kiln {

/// Properties of a stored tree.
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
    fs::path folder;
    bool is_damaged = false; ///< only `folder` and `last_used` are known, then
};

/// What a failed stage left (--keep-work).
struct KeptWork {
    fs::path folder;
    std::int64_t since = 0; ///< seconds since 1970
};

/// Manifests of trees with millions of files are below this.
constexpr std::uint64_t kMaxManifestBytes = std::uint64_t{1} << 30U;

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
    /// Unmounts and sets the changes aside for whoever asked for them (--keep-work), where no kiln
    /// sweeps. Returns their folder.
    fs::path keep();

  private:
    friend class Store;
    Workspace(
        const TreeMounter& mounter,
        const fs::path& work_root,
        const std::vector<fs::path>& lowers,
        const fs::path& staged_data);

    const TreeMounter& mounter_;
    WorkFolder folder_;
    fs::path upper_;
    fs::path root_;
    bool mounted_ = false;
};

class Store {
  public:
    /// Makes the directories; sweeps work that a killed process left. `mounter` must outlive this.
    explicit Store(fs::path root, const TreeMounter& mounter = overlay_mounter());

    [[nodiscard]] const fs::path& root() const noexcept { return root_; }

    /// Whether the stage is there and whole; if so it stays while this lives. A damaged one is set
    /// aside, to be made again.
    [[nodiscard]] bool contains(const Digest& key) const;
    [[nodiscard]] fs::path tree_of(const Digest& key) const;
    /// The stored delta with sources set; marks the stage as used now. Throws Error when it is
    /// damaged, after it was set aside.
    [[nodiscard]] FileTree load(const Digest& key) const;

    /// A workspace above the trees of `below` (the first stage first). Unless empty, `staged_data`
    /// is a folder that moves into the tree, as kStagingFolder.
    [[nodiscard]] std::unique_ptr<Workspace>
    begin(const std::vector<Digest>& below, const fs::path& staged_data = {}) const;

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

    /// Also damaged ones.
    [[nodiscard]] std::vector<StoredStage> list() const;
    /// What failed stages left, the oldest first.
    [[nodiscard]] std::vector<KeptWork> kept_work() const;
    /// False, and nothing is done, when another kiln uses the stage.
    [[nodiscard]] bool remove(const StoredStage& stage) const;

  private:
    /// The stages that must not be removed while this lives.
    struct Uses {
        std::mutex mutex;
        std::optional<WorkFolder> folder; ///< made with the first use
        std::set<Digest> noted;
        std::set<Digest> whole; ///< found to be, by contains()
    };

    [[nodiscard]] fs::path folder_of(const Digest& key) const;
    [[nodiscard]] FileLock lock_uses(FileLock::Mode mode) const;
    void note_use(const Digest& key) const;
    [[nodiscard]] fs::path own_work() const;
    [[nodiscard]] bool is_used_by_others(const fs::path& stage, const fs::path& own) const;
    void set_aside(const fs::path& folder) const;
    void set_aside_if_damaged(const fs::path& folder) const;
    void sweep() const;

    fs::path root_;
    const TreeMounter& mounter_;
    std::unique_ptr<Uses> uses_ = std::make_unique<Uses>();
};

} // namespace kiln
