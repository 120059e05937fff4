// SPDX-License-Identifier: MIT
//
// Runs the stages of a plan whose trees are not in the store, in a sandbox, and puts every tree
// there. Knows nothing of images.
#pragma once

#include "base/console.hpp"
#include "build/made_trees.hpp"
#include "build/plan.hpp"
#include "build/stage_preparer.hpp"
#include "build/store.hpp"
#include "sandbox/make_sandbox.hpp"
#include "tree/file_tree.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kiln {

/// What became of one stage.
struct StageOutcome {
    std::string name;
    std::string kind;
    Branch branch = Branch::common;
    Digest key;
    Digest delta_digest; ///< of what the stage changed
    bool cached = false;
    double seconds = 0;      ///< that this bake spent on it
    std::uint64_t bytes = 0; ///< content of the files it brought
    /// What an earlier run under the same key made, where that was another tree.
    std::optional<Digest> other_delta = {};
};

/// One stage's share of a tree.
struct StageDelta {
    const PlannedStage* planned = nullptr;
    FileTree delta;
};

/// A finished tree and how it came to be.
struct BakedTree {
    FileTree tree;
    std::vector<StageDelta> deltas;
};

struct ExecutorOptions {
    std::string recipe_name; ///< for `kiln cache`
    unsigned jobs = 1;
    bool keep_work = false; ///< leave a failed stage's tree and say where
    bool rebuild = false;   ///< run stages that are in the store again, and compare
    SandboxLimits limits = {};
    MakeSandbox make_sandbox = kiln::make_sandbox;
};

/// Work that runs in the background while a chain's stages run.
struct BackgroundWork {
    StagePreparer* preparer = nullptr; ///< prepares later stages; not owned
    /// Called before a stage is made, not restored, with the tree below it.
    std::function<void(const PlannedStage&, const FileTree&)> before_make = {};
};

class Executor {
  public:
    Executor(
        const Store& store, const StageInputs& inputs, Console& console, ExecutorOptions options)
        : store_(store), made_(store.root()), inputs_(inputs), console_(console),
          options_(std::move(options)) {}

    /// Makes or restores all trees of a chain. A stage that makes another tree than it did before
    /// is warned of, with the paths. When rebuilding, the stored tree stays whatever comes out, so
    /// that each stage is judged on its own. Two chains may be run at the same time from two
    /// threads once their common stages are in the store.
    [[nodiscard]] BakedTree
    run(const Chain& chain, const BakeSettings& settings, const BackgroundWork& background);

    /// Outcomes so far, each stage once, in the order of the plan.
    [[nodiscard]] std::vector<StageOutcome> outcomes(const Plan& plan) const;

  private:
    /// A stage whose turn it is.
    struct StageRun {
        const PlannedStage& planned;
        const FileTree& below; ///< the tree that it changes
        const BakeSettings& settings;
        Prepared prepared;
    };

    /// What is known of one stage after its turn.
    struct Turn {
        FileTree delta;
        bool cached = false;
        std::optional<Digest> other_delta = {};
    };

    Turn make(const StageRun& stage, const std::vector<Digest>& below);
    Turn make_again(const StageRun& stage, const std::vector<Digest>& below);
    template <typename Use>
    void in_workspace(const StageRun& stage, const std::vector<Digest>& below, const Use& use);
    FileTree run_stage(const StageRun& stage, Workspace& workspace, Job& job);
    std::optional<Digest> compare(
        const PlannedStage& planned, const std::optional<FileTree>& before, const FileTree& now);
    void note(const PlannedStage& planned, const Turn& turn, double seconds);
    bool had_its_turn(const PlannedStage& planned) const;

    const Store& store_;
    MadeTrees made_;
    const StageInputs& inputs_;
    Console& console_;
    ExecutorOptions options_;
    mutable std::mutex mutex_;
    std::map<Digest, StageOutcome> outcomes_;
};

} // namespace kiln
