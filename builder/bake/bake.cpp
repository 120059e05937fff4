// SPDX-License-Identifier: MIT
#include "bake/bake.hpp"

#include "artifact/lookup/recipe_artifacts.hpp"
#include "bake/checked_disks.hpp"
#include "bake/cluster_precompressor.hpp"
#include "bake/output_folder.hpp"
#include "bake/wanted_images.hpp"
#include "base/io/file_stream.hpp"
#include "base/parallel.hpp"
#include "base/text.hpp"
#include "build/executor.hpp"
#include "inputs/source_inputs.hpp"
#include "resolve/make_lock.hpp"
#include "resolve/recipe_lock.hpp"
#include "verify/lint/lint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <future>

namespace kiln {

namespace {

using Clock = std::chrono::steady_clock;

/// Sources that the command line replaced are not those of the lock; they are pinned for this bake.
void lock_overridden_sources(
    Lockfile& lock,
    const Recipe& recipe,
    const SourceOverrides& overrides,
    const InputContext& in) {
    for (const auto& [name, where] : overrides) {
        std::erase_if(lock.sources, [&](const LockedSource& s) { return s.name == name; });
        if (const auto* git = std::get_if<GitSource>(&recipe.sources.at(name).from)) {
            lock.sources.push_back(lock_git_source(name, *git, in));
        }
    }
}

/// The work of one bake, from plan to finished folder.
class Bake {
  public:
    Bake(
        const BakeRequest& request,
        const Lockfile& lock,
        const RecipeArtifacts& artifacts,
        const Store& store,
        const InputContext& in)
        : request_(request), in_(in), artifacts_(artifacts),
          inputs_(request.recipe, lock, in.pool, &artifacts),
          settings_(bake_settings(request.recipe, lock.epoch)),
          wanted_(wanted_images(request.recipe, request.formats)), store_(store),
          executor_(
              store_,
              inputs_,
              in.console,
              {.recipe_name = request.recipe.name,
               .jobs = request.jobs,
               .keep_work = request.keep_work,
               .rebuild = request.rebuild,
               .limits = request.recipe.limits}) {
        if (!request.lock) {
            inputs_.set_refresh("");
        }
        record_.recipe = request.recipe.name;
        record_.lock = lock.digest();
        record_.epoch = lock.epoch;
    }

    Record run(const fs::path& folder) {
        Diagnostics diags;
        plan_ = make_plan(request_.recipe, inputs_, settings_, diags);
        diags.throw_if_errors(fmt::format("recipe '{}'", request_.recipe_file.string()));
        const auto missing = missing_stages();
        fetch(missing);
        provide_artifacts(missing);
        std::optional<StagePreparer> preparer;
        if (request_.jobs > 1) {
            preparer.emplace(missing, store_, inputs_);
        }
        background_.preparer = preparer ? &*preparer : nullptr;
        static_cast<void>(executor_.run(plan_.chain(Branch::common), settings_, background_));
        // The two branches share nothing but the store, and the kernel's part of the disk is mostly
        // waiting for small programs: running them together fills the cores.
        auto containers = std::async(std::launch::async, [&] {
            if (!wanted_.disks.empty()) {
                lower_priority(); // the disk takes longer
            }
            return bake_containers(folder);
        });
        auto disks = bake_disks(folder);
        record_.images = std::move(disks);
        for (ImageFile& image : containers.get()) {
            record_.images.push_back(std::move(image));
        }
        record_.stages = executor_.outcomes(plan_);
        return std::move(record_);
    }

  private:
    /// The stages that will be run, in order.
    [[nodiscard]] std::vector<const PlannedStage*> missing_stages() const {
        std::vector<const PlannedStage*> out;
        for (const PlannedStage& planned : plan_.stages) {
            const bool needed = planned.branch == Branch::common ||
                                (planned.branch == Branch::vm && !wanted_.disks.empty()) ||
                                (planned.branch == Branch::oci && !wanted_.containers.empty());
            if (needed && (request_.rebuild || !store_.contains(planned.key))) {
                out.push_back(&planned);
            }
        }
        return out;
    }

    void fetch(const std::vector<const PlannedStage*>& stages) {
        std::vector<const StageSpec*> specs;
        for (const PlannedStage* planned : stages) {
            specs.push_back(planned->spec);
        }
        inputs_.fetch(specs, in_);
    }

    void provide_artifacts(const std::vector<const PlannedStage*>& stages) const {
        for (const PlannedStage* planned : stages) {
            if (planned->spec->takes == StageTakes::artifact) {
                artifacts_.fetch_or_build(
                    planned->spec->options.at("artifact").as_string(),
                    request_.artifacts,
                    in_,
                    request_.jobs);
            }
        }
    }

    [[nodiscard]] ImageContext image_context(const fs::path& folder) const {
        return {
            request_.recipe.name, settings_, folder, request_.cache, in_.console, request_.jobs};
    }

    std::vector<ImageFile> bake_disks(const fs::path& folder) {
        std::vector<ImageFile> out;
        if (wanted_.disks.empty()) {
            return out;
        }
        const BakedTree baked = run_disk_stages(folder);
        lint(baked);
        const DiskTrees trees = split_for_disk(baked.tree);
        add_tree("vm.manifest", write_tree_manifest(trees.root, folder / "vm.manifest"));
        for (const WantedImage& image : wanted_.disks) {
            const auto& spec = std::get<DiskImageSpec>(image.spec->form);
            DiskFiles files = write_disk_images(trees, spec, image.formats, image_context(folder));
            check(
                disk_to_check(files, trees, spec, folder),
                CheckedDisks::subject(files.images, trees));
            if (std::ranges::find(image.formats, ImageFormat::raw) == image.formats.end()) {
                fs::remove(files.raw);
            }
            for (ImageFile& file : files.images) {
                file.check = kCheckLevels.at(static_cast<std::size_t>(request_.check));
                out.push_back(std::move(file));
            }
        }
        return out;
    }

    /// Idle cores deflate the first qcow2's clusters meanwhile.
    BakedTree run_disk_stages(const fs::path& folder) {
        const ImageContext context = image_context(folder);
        std::optional<ClusterPrecompressor> precompressor;
        for (const WantedImage& image : wanted_.disks) {
            const auto& spec = std::get<DiskImageSpec>(image.spec->form);
            const bool is_qcow2 =
                std::ranges::find(image.formats, ImageFormat::qcow2) != image.formats.end();
            if (!precompressor && is_qcow2 && spec.compress && request_.jobs > 1) {
                precompressor.emplace(spec, context);
            }
        }
        BackgroundWork background = background_;
        background.before_make = [&](const PlannedStage& planned, const FileTree& tree) {
            if (precompressor && planned.stage->leaves_cores_idle()) {
                precompressor->start(tree);
            }
        };
        BakedTree baked = executor_.run(plan_.chain(Branch::vm), settings_, background);
        if (precompressor) {
            precompressor->stop();
        }
        return baked;
    }

    std::vector<ImageFile> bake_containers(const fs::path& folder) {
        std::vector<ImageFile> out;
        if (wanted_.containers.empty()) {
            return out;
        }
        const BakedTree baked = executor_.run(plan_.chain(Branch::oci), settings_, background_);
        lint(baked);
        add_tree("oci.manifest", write_tree_manifest(baked.tree, folder / "oci.manifest"));
        for (const WantedImage& image : wanted_.containers) {
            for (ImageFile& file : write_container_images(
                     baked,
                     std::get<OciImageSpec>(image.spec->form),
                     image.formats,
                     image_context(folder))) {
                out.push_back(std::move(file));
            }
        }
        return out;
    }

    /// Nothing that breaks a rule of lint becomes an image.
    void lint(const BakedTree& baked) const {
        LintOptions options;
        options.exceptions = request_.recipe.lint_exceptions;
        // Where trees lie while scripts run. The host's own name cannot get in: scripts see
        // another, and to look for it would refuse a "debian" or a "pause" on a host that is called
        // so.
        options.builder_words = {(request_.cache / "stages").string()};
        std::vector<std::string> stages;
        for (const StageDelta& step : baked.deltas) {
            stages.push_back(step.planned->spec->name);
            options.stages.push_back({step.planned->stage->runs_programs(), &step.delta});
        }
        options.private_packages = inputs_.private_packages();
        require_no_findings(lint_tree(baked.tree, options), stages);
    }

    void add_tree(const std::string& name, const Digest& digest) {
        const std::lock_guard lock(mutex_);
        record_.trees[name] = digest;
    }

    [[nodiscard]] static DiskToCheck disk_to_check(
        const DiskFiles& files,
        const DiskTrees& trees,
        const DiskImageSpec& spec,
        const fs::path& folder) {
        DiskToCheck out;
        out.image = {files.raw, ImageFormat::raw};
        out.root = &trees.root;
        out.esp = spec.esp_bytes > 0 ? &trees.esp : nullptr;
        for (const ImageFile& file : files.images) {
            if (file.format != ImageFormat::raw) {
                out.copies.push_back({folder / file.name, file.format});
            }
        }
        return out;
    }

    void check(const DiskToCheck& disk, const Digest& subject) const {
        if (request_.check == CheckLevel::none) {
            in_.console.notice("disk check skipped (--check none)");
            return;
        }
        const CheckedDisks checked(request_.cache);
        if (checked.contains(subject, request_.check)) {
            in_.console.info("disk check skipped: already checked");
            return;
        }
        check_disk(disk, request_.check, request_.jobs, in_.console, in_.processes);
        checked.add(subject, request_.check);
    }

    const BakeRequest& request_;
    const InputContext& in_;
    const RecipeArtifacts& artifacts_;
    LockedInputs inputs_;
    BakeSettings settings_;
    WantedImages wanted_;
    const Store& store_;
    Executor executor_;
    BackgroundWork background_;
    Plan plan_;
    std::mutex mutex_;
    Record record_;
};

/// Makes a new lock, prints what changed and writes it. `asked` is the recipe's request before
/// sources of it were replaced.
Lockfile renew_lock(
    const Recipe& recipe,
    std::vector<RequestPart> asked,
    const RecipeArtifacts& artifacts,
    const std::vector<std::string>& registries,
    const InputContext& in) {
    const fs::path path = lock_path(recipe);
    artifacts.refresh_locks(registries, in);
    const bool is_first = !fs::exists(path);
    LockRequest request;
    request.artifacts = artifacts.locked();
    Lockfile lock = make_lock(recipe, request, in);
    lock.request = std::move(asked);
    for (const std::string& line : replace_lock(path, lock, in.console)) {
        in.console.message(is_first ? Level::debug : Level::info, line);
    }
    in.console.info(fmt::format(
        "locked {} packages, source date epoch {}: '{}'",
        lock.packages.size(),
        format_rfc3339(lock.epoch),
        path.string()));
    return lock;
}

} // namespace

BakeReport bake(BakeRequest request, const InputContext& in) {
    const auto start = Clock::now();
    const OutFolderLock out_lock(request.out);
    OwnFileStream log(request.out / "build.log", 0666U & ~request.umask);
    in.console.set_log(&log);
    const Finally end_log([&] { in.console.set_log(nullptr); });

    const Store store(request.cache);
    const RecipeArtifacts artifacts(request.recipe, store);
    Lockfile lock =
        request.lock ? *request.lock
                     : renew_lock(request.recipe, request.asked, artifacts, request.artifacts, in);
    lock_overridden_sources(lock, request.recipe, request.sources, in);
    const TempDir folder(request.out, kTemporaryPrefix);
    BakeReport report;
    report.record = Bake(request, lock, artifacts, store, in).run(folder.path());
    if (!request.lock) {
        artifacts.note_results(in);
    }
    report.record.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    write_record(report.record, folder.path());
    report.files = publish_results(folder.path(), request.out, request.umask);
    return report;
}

} // namespace kiln
