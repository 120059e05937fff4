// SPDX-License-Identifier: MIT
#include "artifact/perl/bundle_build.hpp"

#include "artifact/perl/bundle_assembly.hpp"
#include "artifact/perl/bundle_inputs.hpp"
#include "artifact/perl/bundle_plan.hpp"
#include "artifact/perl/bundle_progress.hpp"
#include "base/error_list.hpp"
#include "base/parallel.hpp"
#include "base/text.hpp"
#include "perl/install_tree.hpp"
#include "sandbox/namespaces.hpp"
#include "sandbox/sandbox.hpp"
#include "tree/tree_root.hpp"
#include "tree/tree_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <mutex>
#include <numeric>

namespace kiln {

namespace {

using Clock = std::chrono::steady_clock;

/// Long enough for perl itself on a slow machine; what takes longer hangs.
constexpr std::chrono::seconds kLongestPhase = std::chrono::minutes(60);

/// How many files an error names.
constexpr std::size_t kShownFiles = 10;

/// What is built in one go: perl, or a distribution.
struct Unit {
    std::string name;     ///< "libtry-tiny-perl"
    std::string describe; ///< "libtry-tiny-perl (Try-Tiny 0.31)"
    const LockedSource* source = nullptr;
    Digest key;
    std::vector<BuildPhase> phases;
    std::vector<SandboxBind> binds = {}; ///< besides its own folder
};

/// What could not be built. The rest is built all the same: it is kept, and one run tells all that
/// is wrong. Thread-safe.
/// What failed, and what was not tried since it needs that.
class Failures {
  public:
    explicit Failures(std::size_t count) : skipped_(count, false) {}

    ErrorList& errors() noexcept { return errors_; }

    void skip(std::size_t i) {
        const std::lock_guard lock(mutex_);
        skipped_[i] = true;
    }

    [[nodiscard]] bool any_of(const std::vector<std::size_t>& needs) const {
        const std::lock_guard lock(mutex_);
        return std::ranges::any_of(
            needs, [&](std::size_t need) { return skipped_[need] || errors_.contains(need); });
    }

    void throw_if_any() const {
        if (errors_.count() == 1) {
            throw errors_.errors().begin()->second;
        }
        if (errors_.count() > 0) {
            throw Error(fmt::format("{} distributions failed to build", errors_.count()))
                .with_details(errors_.lines([](std::size_t) { return std::string(); }));
        }
    }

  private:
    mutable std::mutex mutex_;
    std::vector<bool> skipped_;
    ErrorList errors_;
};

class BundleBuild {
  public:
    BundleBuild(
        const PerlBundle& bundle,
        const Lockfile& lock,
        const InputContext& in,
        const Store& store,
        unsigned jobs)
        : bundle_(bundle), lock_(lock), in_(in), store_(store), jobs_(jobs),
          plan_(bundle, lock, in.pool), logs_(store.root() / "logs" / bundle.name) {}

    ArtifactInfo run() {
        if (!store_.contains(plan_.key())) {
            find_missing();
            plan_.root().make(in_, store_, jobs_);
            fetch();
            make_perl();
            make_distributions();
            assemble_bundle(plan_, bundle_.name, store_, in_);
        }
        return stored_artifact(store_, plan_.key(), bundle_.name);
    }

  private:
    void find_missing() {
        perl_missing_ = !store_.contains(plan_.perl_key());
        for (std::size_t i = 0; i < plan_.distributions().size(); ++i) {
            if (!store_.contains(plan_.distributions()[i].key)) {
                missing_.push_back(i);
            }
        }
        if (perl_missing_) {
            in_.console.info(fmt::format(
                "building perl {} and {} distributions for bundle '{}'; this takes several "
                "minutes, but only the first time",
                plan_.perl().version,
                plan_.distributions().size(),
                bundle_.name));
        }
    }

    void fetch() const {
        std::vector<PoolInput> inputs;
        const auto add = [&](const LockedSource& source) {
            inputs.push_back(bundle_input(bundle_, source, lock_.snapshot, in_));
        };
        if (perl_missing_) {
            add(plan_.perl_source());
        }
        for (const std::size_t i : missing_) {
            add(*plan_.distributions()[i].source);
        }
        FetchOptions fetching;
        fetching.offline = in_.offline;
        fetching.refresh = refresh_bundle(bundle_);
        in_.pool.fetch(inputs, in_.http, fetching, in_.console);
    }

    void make_perl() {
        if (!perl_missing_) {
            return;
        }
        const LockedSource& source = plan_.perl_source();
        Unit unit{
            source.name,
            fmt::format("perl {}", source.version),
            &source,
            plan_.perl_key(),
            perl_phases(plan_.perl(), jobs_)};
        const auto root = store_.begin(plan_.root().keys());
        Job job = in_.console.start("build " + unit.describe);
        build(unit, root->root(), job);
    }

    void make_distributions() {
        if (missing_.empty()) {
            return;
        }
        std::vector<Digest> below = plan_.root().keys();
        below.push_back(plan_.perl_key());
        const auto root = store_.begin(below);
        BundleProgress progress(missing_.size(), work_left());
        const auto needs = needs_of_missing();
        Failures failures(missing_.size());
        parallel_graph(needs, priorities(), jobs_, [&](std::size_t k) {
            if (failures.any_of(needs[k])) {
                failures.skip(k);
                return;
            }
            const PlannedDistribution& distribution = plan_.distributions()[missing_[k]];
            const Unit unit = unit_of(distribution);
            Job job =
                in_.console.start(fmt::format("build {} ({})", unit.describe, progress.begin()));
            failures.errors().collect(k, [&] { build(unit, root->root(), job); });
            progress.done(distribution_work(distribution));
        });
        failures.throw_if_any();
    }

    [[nodiscard]] double work_left() const {
        return std::accumulate(
            missing_.begin(), missing_.end(), 0.0, [&](double sum, std::size_t i) {
                return sum + distribution_work(plan_.distributions()[i]);
            });
    }

    /// Among what is built, places in missing_.
    [[nodiscard]] std::vector<std::vector<std::size_t>> needs_of_missing() const {
        std::vector<std::vector<std::size_t>> out;
        for (const std::size_t i : missing_) {
            std::vector<std::size_t>& needs = out.emplace_back();
            for (const std::size_t need : plan_.distributions()[i].needs) {
                const auto found = std::lower_bound(missing_.begin(), missing_.end(), need);
                if (found != missing_.end() && *found == need) {
                    needs.push_back(static_cast<std::size_t>(found - missing_.begin()));
                }
            }
        }
        return out;
    }

    /// The longest way from the beginning of each to the end of everything: what others wait for
    /// longest is begun first.
    [[nodiscard]] std::vector<double> priorities() const {
        const auto needs = needs_of_missing();
        std::vector<double> out(missing_.size(), 0);
        for (std::size_t k = missing_.size(); k-- > 0;) {
            out[k] += distribution_work(plan_.distributions()[missing_[k]]);
            for (const std::size_t need : needs[k]) {
                out[need] = std::max(out[need], out[k]);
            }
        }
        return out;
    }

    [[nodiscard]] Unit unit_of(const PlannedDistribution& distribution) const {
        const LockedDistribution& locked = *distribution.locked;
        Unit out{
            locked.source,
            fmt::format("{} {}", locked.name, locked.version),
            distribution.source,
            distribution.key,
            {}};
        std::vector<std::string> libraries;
        for (const std::size_t need : distribution.all_needs) {
            const PlannedDistribution& needed = plan_.distributions()[need];
            // REPRO: compilers write the path down, so it follows from what the key covers.
            const std::string target = fmt::format("/run/kiln/needs/{}", needed.locked->name);
            out.binds.push_back({store_.tree_of(needed.key), target});
            libraries.push_back(target + plan_.perl().site_library());
        }
        out.phases = distribution_phases(distribution.tool, plan_.perl(), libraries);
        return out;
    }

    /// Builds a unit on a mounted root, which it only reads, and keeps the result.
    void build(const Unit& unit, const fs::path& root, Job& job) const {
        const auto start = Clock::now();
        const auto work = store_.begin_work();
        const fs::path folder = work->path() / "build";
        for (const fs::path& path : {folder, folder / "source", folder / "out"}) {
            fs::create_directory(path);
            // REPRO: whatever the umask.
            fs::permissions(path, fs::perms(0755));
        }
        const fs::path file = in_.pool.path_of(unit.source->sha256);
        if (unit.phases.empty()) {
            install_perl_package(file, plan_.perl(), folder / "out");
        } else {
            const std::string top = unpack_tarball(file, unit.source->location, folder / "source");
            run_phases(unit, root, folder, top, job);
        }
        job.note("keeping");
        const fs::path out = folder / "out";
        clean_installed_tree(out);
        const FileTree tree = scan_tree(
            out,
            {.ids = build_tree_ids(),
             .mtime = [&](const std::string&, FileType, std::int64_t) { return lock_.epoch; }});
        check_places(unit, tree);
        apply_times(out, tree);
        store_.commit(
            out,
            unit.key,
            tree,
            {.recipe = bundle_.name,
             .kind = "distribution",
             .name = unit.name,
             .seconds = std::chrono::duration<double>(Clock::now() - start).count(),
             .bytes = tree.content_bytes(),
             .files = tree.entries().size()});
        job.finish();
    }

    void check_places(const Unit& unit, const FileTree& tree) const {
        std::vector<std::string> outside = files_outside_prefix(tree, plan_.perl().prefix);
        if (!outside.empty()) {
            if (const std::size_t count = outside.size(); count > kShownFiles) {
                outside.resize(kShownFiles);
                outside.push_back(fmt::format("and {} more", count - kShownFiles));
            }
            throw failure(
                unit,
                fmt::format(
                    "{} ({}) installs files outside of '{}'",
                    unit.name,
                    unit.describe,
                    plan_.perl().prefix),
                std::move(outside));
        }
    }

    void run_phases(
        const Unit& unit,
        const fs::path& root,
        const fs::path& folder,
        const std::string& top,
        Job& job) const {
        give_to_tree(folder, build_tree_ids());
        SandboxOptions options{.root = root, .epoch = lock_.epoch};
        options.read_only_root = true;
        options.binds = unit.binds;
        options.binds.push_back({folder, kBuildFolder, false});
        const auto sandbox = in_.make_sandbox(std::move(options));
        fs::create_directories(logs_);
        std::ofstream log(log_of(unit), std::ios::trunc);
        for (const BuildPhase& phase : unit.phases) {
            job.note(phase.name);
            Command command = phase.command;
            command.cwd = fs::path(kSourceFolder) / top;
            command.timeout = kLongestPhase;
            command.on_lines = [&](std::string_view lines) { log << lines; };
            log << fmt::format(
                       "# {}: {} {}", phase.name, command.program, fmt::join(command.args, " "))
                << '\n';
            log.flush();
            const ProcessResult result = sandbox->run(command);
            log.flush();
            if (!result.ok()) {
                const ProcessError error(describe_phase(unit, phase), result);
                throw failure(unit, error.message(), last_lines(result.output));
            }
            if (!phase.makes.empty() && !TreeRoot(folder / "source" / top).exists(phase.makes)) {
                throw failure(
                    unit,
                    fmt::format("{} did not create {}", describe_phase(unit, phase), phase.makes),
                    last_lines(result.output));
            }
        }
    }

    static std::string describe_phase(const Unit& unit, const BuildPhase& phase) {
        return fmt::format("phase '{}' of {} ({})", phase.name, unit.name, unit.describe);
    }

    [[nodiscard]] fs::path log_of(const Unit& unit) const { return logs_ / (unit.name + ".log"); }

    [[nodiscard]] Error
    failure(const Unit& unit, const std::string& message, std::vector<std::string> details) const {
        const std::vector<std::string> users = users_of(unit.key);
        if (!users.empty()) {
            details.push_back(fmt::format("needed by: {}", join(users, ", ")));
        }
        details.push_back(fmt::format("full log: {}", log_of(unit).string()));
        return Error(message).with_details(std::move(details));
    }

    /// Distributions that are built on the one with this key, in the end.
    [[nodiscard]] std::vector<std::string> users_of(const Digest& key) const {
        std::vector<std::string> out;
        const auto& all = plan_.distributions();
        for (const PlannedDistribution& each : all) {
            const bool uses =
                std::any_of(each.all_needs.begin(), each.all_needs.end(), [&](std::size_t need) {
                    return all[need].key == key;
                });
            if (uses) {
                out.push_back(each.locked->source);
            }
        }
        return out;
    }

    const PerlBundle& bundle_;
    const Lockfile& lock_;
    const InputContext& in_;
    const Store& store_;
    unsigned jobs_;
    BundlePlan plan_;
    fs::path logs_;
    bool perl_missing_ = false;
    std::vector<std::size_t> missing_; ///< places of distributions that have to be built, ascending
};

} // namespace

Digest bundle_key(const PerlBundle& bundle, const Lockfile& lock, const Pool& pool) {
    return BundlePlan(bundle, lock, pool).key();
}

ArtifactInfo build_bundle(
    const PerlBundle& bundle,
    const Lockfile& lock,
    const InputContext& in,
    const Store& store,
    unsigned jobs) {
    return with_context(fmt::format("building bundle '{}'", bundle.name), [&] {
        return BundleBuild(bundle, lock, in, store, jobs).run();
    });
}

} // namespace kiln
