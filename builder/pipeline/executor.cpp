// SPDX-License-Identifier: MIT
#include "pipeline/executor.hpp"

#include "base/interrupt.hpp"
#include "base/namespaces.hpp"
#include "base/sandbox.hpp"
#include "base/text.hpp"
#include "formats/tree_scan.hpp"

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

} // namespace

BakedTree Executor::run(const Chain& chain, const BakeSettings& settings, const Beside& beside) {
    BakedTree baked;
    std::vector<Digest> below;
    for (const PlannedStage* planned : chain.stages) {
        throw_if_interrupted();
        StageDelta step{planned, {}};
        const auto start = Clock::now();
        if (store_.contains(planned->key)) {
            step.delta = store_.load(planned->key);
            note(*planned, step.delta, seconds_since(start), true);
        } else {
            if (beside.before_make) {
                beside.before_make(*planned, baked.tree);
            }
            Prepared prepared = beside.ahead != nullptr ? beside.ahead->take(*planned) : Prepared();
            step.delta = make(*planned, below, settings, std::move(prepared));
            note(*planned, step.delta, seconds_since(start), false);
        }
        baked.tree.apply(step.delta, static_cast<std::uint32_t>(baked.deltas.size()));
        baked.deltas.push_back(std::move(step));
        below.push_back(planned->key);
    }
    return baked;
}

FileTree Executor::make(
    const PlannedStage& planned,
    const std::vector<Digest>& below,
    const BakeSettings& settings,
    Prepared prepared) {
    const auto start = Clock::now();
    const std::string what = fmt::format("stage '{}'", planned.spec->name);
    return with_context("running " + what, [&] {
        Job job = console_.start(what);
        const auto workspace = store_.begin(below, prepared.path());
        try {
            const FileTree delta =
                run_stage(planned, *workspace, settings, prepared.groundwork.get(), job);
            store_.commit(
                *workspace,
                planned.key,
                delta,
                {.recipe = options_.recipe_name,
                 .kind = planned.spec->kind,
                 .name = planned.spec->name,
                 .seconds = seconds_since(start),
                 .bytes = delta.content_bytes(),
                 .files = delta.entries().size()});
            job.finish(format_size(delta.content_bytes()));
        } catch (...) {
            if (options_.keep_work) {
                console_.notice(
                    fmt::format("the half-made tree is kept in '{}'", workspace->keep().string()));
            }
            throw;
        }
        return store_.load(planned.key);
    });
}

FileTree Executor::run_stage(
    const PlannedStage& planned,
    Workspace& workspace,
    const BakeSettings& settings,
    Groundwork* groundwork,
    Job& job) {
    KeptTimes kept_times;
    Sandbox sandbox({.root = workspace.root(), .epoch = settings.epoch, .limits = options_.limits});
    const TreeRoot tree(workspace.root(), build_tree_ids());
    StageContext context{
        .tree = tree,
        .settings = settings,
        .sandbox = sandbox,
        .console = console_,
        .job = job,
        .kept_times = kept_times,
        .groundwork = groundwork,
        .jobs = options_.jobs};
    planned.stage->run(context, inputs_);
    throw_if_interrupted();
    job.note("reading the tree");
    workspace.unmount();
    FileTree delta = scan_tree(
        workspace.upper(),
        {.jobs = options_.jobs,
         .ids = build_tree_ids(),
         .overlay_marks = true,
         .mtime = [&](const std::string& path, FileType, std::int64_t found) {
             return stated_time(kept_times, path, found, settings.epoch);
         }});
    apply_times(workspace.upper(), delta);
    return delta;
}

void Executor::note(
    const PlannedStage& planned, const FileTree& delta, double seconds, bool cached) {
    const std::lock_guard lock(mutex_);
    outcomes_.try_emplace(
        planned.key,
        StageOutcome{
            .name = planned.spec->name,
            .kind = planned.spec->kind,
            .branch = planned.branch,
            .key = planned.key,
            .delta_digest = delta.digest(),
            .cached = cached,
            .seconds = seconds,
            .bytes = delta.content_bytes()});
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
