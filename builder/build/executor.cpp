// SPDX-License-Identifier: MIT
#include "build/executor.hpp"

#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "sandbox/namespaces.hpp"
#include "sandbox/sandbox.hpp"
#include "tree/tree_compare.hpp"
#include "tree/tree_scan.hpp"

#include <fmt/format.h>

#include <chrono>

namespace kiln {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// REPRO: a file's own time stays only if it is the one that an input gave it; everything that a
/// script or kiln made gets the source date epoch, whatever the host's clock says.
std::int64_t stated_time(
    const KeptTimes& kept, const std::string& path, std::int64_t found, std::int64_t epoch) {
    const auto it = kept.find(path);
    return it != kept.end() && it->second == found && found < epoch ? found : epoch;
}

bool has_members(const FileTree& tree, const std::string& directory) {
    const std::string prefix = directory + "/";
    const auto next = tree.entries().lower_bound(prefix);
    return next != tree.entries().end() && next->first.starts_with(prefix);
}

/// REPRO: the overlay copies a directory up as soon as kiln places something in it. When that is
/// gone again and nothing else was changed, it is not a part of what the stage did. Its time, which
/// the placing changed, does not count.
void drop_restored(
    const std::vector<std::string>& restored,
    const FileTree& below,
    const fs::path& upper,
    FileTree& delta) {
    for (std::string path : restored) {
        for (; !path.empty(); path = std::string(parent_path(path))) {
            const Entry* before = below.find(path);
            const Entry* after = delta.find(path);
            if (before == nullptr || after == nullptr || has_members(delta, path)) {
                break;
            }
            Entry same = *after;
            same.mtime = before->mtime;
            if (!same.same_as(*before)) {
                break;
            }
            fs::remove(upper / path);
            delta.erase_tree(path);
        }
    }
}

} // namespace

BakedTree
Executor::run(const Chain& chain, const BakeSettings& settings, const BackgroundWork& background) {
    BakedTree baked;
    std::vector<Digest> below;
    for (const PlannedStage* planned : chain.stages) {
        throw_if_interrupted();
        StageDelta step{planned, {}};
        const auto start = Clock::now();
        const bool is_stored = store_.contains(planned->key);
        if (is_stored && (!options_.rebuild || had_its_turn(*planned))) {
            step.delta = store_.load(planned->key);
            note(*planned, {.delta = step.delta, .cached = true}, seconds_since(start));
        } else {
            if (background.before_make) {
                background.before_make(*planned, baked.tree);
            }
            Prepared prepared =
                background.preparer != nullptr ? background.preparer->take(*planned) : Prepared();
            const StageRun run{*planned, baked.tree, settings, std::move(prepared)};
            Turn turn = is_stored ? make_again(run, below) : make(run, below);
            note(*planned, turn, seconds_since(start));
            step.delta = std::move(turn.delta);
        }
        baked.tree.apply(step.delta, static_cast<std::uint32_t>(baked.deltas.size()));
        baked.deltas.push_back(std::move(step));
        below.push_back(planned->key);
    }
    return baked;
}

/// Runs the stage in a workspace and hands `use` that, what it changed and the seconds it took.
template <typename Use>
void Executor::in_workspace(
    const StageRun& stage, const std::vector<Digest>& below, const Use& use) {
    const auto start = Clock::now();
    const std::string what = fmt::format("stage '{}'", stage.planned.spec->name);
    with_context("running " + what, [&] {
        Job job = console_.start(what);
        const auto workspace = store_.begin(below, stage.prepared.path());
        try {
            const FileTree delta = run_stage(stage, *workspace, job);
            use(*workspace, delta, seconds_since(start));
            job.finish(format_size(delta.content_bytes()));
        } catch (...) {
            if (options_.keep_work) {
                console_.notice(fmt::format(
                    "the incomplete tree was kept in '{}' until 'kiln cache prune --kept'",
                    workspace->keep().string()));
            }
            throw;
        }
    });
}

Executor::Turn Executor::make(const StageRun& stage, const std::vector<Digest>& below) {
    const PlannedStage& planned = stage.planned;
    const std::optional<FileTree> before = made_.find(planned.key);
    std::optional<Digest> other;
    in_workspace(stage, below, [&](Workspace& workspace, const FileTree& delta, double seconds) {
        other = compare(planned, before, delta);
        store_.commit(
            workspace,
            planned.key,
            delta,
            {.recipe = options_.recipe_name,
             .kind = planned.spec->kind,
             .name = planned.spec->name,
             .seconds = seconds,
             .bytes = delta.content_bytes(),
             .files = delta.entries().size()});
        made_.keep(planned.key, delta);
    });
    return {.delta = store_.load(planned.key), .other_delta = other};
}

Executor::Turn Executor::make_again(const StageRun& stage, const std::vector<Digest>& below) {
    FileTree stored = store_.load(stage.planned.key);
    std::optional<Digest> other;
    in_workspace(stage, below, [&](Workspace&, const FileTree& delta, double) {
        other = compare(stage.planned, stored, delta);
    });
    return {.delta = std::move(stored), .other_delta = other};
}

/// Warns when the stage made another tree `before`; returns that tree's digest then.
std::optional<Digest> Executor::compare(
    const PlannedStage& planned, const std::optional<FileTree>& before, const FileTree& now) {
    if (!before || before->digest() == now.digest()) {
        return std::nullopt;
    }
    constexpr std::size_t kMostLines = 10;
    const TreeComparison paths = compare_trees(*before, now, kMostLines);
    console_.warning(fmt::format(
        "stage '{}' is not reproducible: {} of {} paths differ from an earlier run with the same "
        "inputs",
        planned.spec->name,
        paths.count,
        now.entries().size()));
    for (const std::string& line : paths.lines) {
        console_.message(Level::warning, "  " + line);
    }
    return before->digest();
}

FileTree Executor::run_stage(const StageRun& stage, Workspace& workspace, Job& job) {
    const std::int64_t epoch = stage.settings.epoch;
    KeptTimes kept_times;
    const auto sandbox = options_.make_sandbox(
        {.root = workspace.root(), .epoch = epoch, .limits = options_.limits});
    const TreeRoot tree(workspace.root(), build_tree_ids());
    StageContext context{
        .tree = tree,
        .settings = stage.settings,
        .sandbox = *sandbox,
        .console = console_,
        .job = job,
        .kept_times = kept_times,
        .staged_data = stage.prepared.staged_data.get(),
        .jobs = options_.jobs,
        .below = &stage.below};
    stage.planned.stage->run(context, inputs_);
    throw_if_interrupted();
    job.note("reading the tree");
    workspace.unmount();
    FileTree delta = scan_tree(
        workspace.upper(),
        {.jobs = options_.jobs,
         .ids = build_tree_ids(),
         .overlay_marks = true,
         .mtime = [&](const std::string& path, FileType, std::int64_t found) {
             return stated_time(kept_times, path, found, epoch);
         }});
    drop_restored(context.restored, stage.below, workspace.upper(), delta);
    apply_times(workspace.upper(), delta);
    return delta;
}

void Executor::note(const PlannedStage& planned, const Turn& turn, double seconds) {
    const std::lock_guard lock(mutex_);
    outcomes_.try_emplace(
        planned.key,
        StageOutcome{
            .name = planned.spec->name,
            .kind = planned.spec->kind,
            .branch = planned.branch,
            .key = planned.key,
            .delta_digest = turn.delta.digest(),
            .cached = turn.cached,
            .seconds = seconds,
            .bytes = turn.delta.content_bytes(),
            .other_delta = turn.other_delta});
}

bool Executor::had_its_turn(const PlannedStage& planned) const {
    const std::lock_guard lock(mutex_);
    return outcomes_.contains(planned.key);
}

std::vector<StageOutcome> Executor::outcomes(const Plan& plan) const {
    const std::lock_guard lock(mutex_);
    std::vector<StageOutcome> out;
    for (const PlannedStage& planned : plan.stages) {
        if (const auto it = outcomes_.find(planned.key); it != outcomes_.end()) {
            out.push_back(it->second);
        }
    }
    return out;
}

} // namespace kiln
