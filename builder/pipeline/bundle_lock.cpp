// SPDX-License-Identifier: MIT
#include "pipeline/bundle_lock.hpp"

#include "base/error.hpp"
#include "base/parallel.hpp"
#include "base/paths.hpp"
#include "perl/package.hpp"
#include "pipeline/bundle_inputs.hpp"
#include "pipeline/make_lock.hpp"
#include "pipeline/solve.hpp"
#include "pipeline/upstream_release.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>

namespace kiln {

namespace {

constexpr const char* kBuildRootStage = "build-root";

SolveSource wanted_source(const char* kind, const DistributionSpec& spec) {
    const auto& from = std::get<DebianSource>(spec.from);
    return {kind, from.package, from.suite, from.version, spec.pos.to_string()};
}

LockedSource locked_release(const CpanRelease& release) {
    LockedSource out;
    out.kind = kCpanSource;
    out.name = release.path.substr(release.path.rfind('/') + 1);
    out.location = release.path;
    out.sha256 = release.sha256;
    return out;
}

SolveRequest
solve_request(const PerlBundle& bundle, const InputContext& in, const fs::path& keyring_dir) {
    SolveRequest request;
    request.recipe = bundle.name;
    request.architecture = bundle.architecture;
    request.cache = cache_root() / "apt";
    const fs::path keyring = keyring_dir / "debian-archive-keyring.gpg";
    request.archives = solve_archives(bundle.archives, in, keyring);
    request.source_archives = solve_archives(bundle.source_archives, in, keyring);
    request.stages.push_back(
        {.branch = "common",
         .name = kBuildRootStage,
         .install = bundle.build_packages,
         .recommends = false,
         .where = ""});
    request.sources.push_back(wanted_source(kPerlSource, bundle.perl));
    for (const DistributionSpec& spec : bundle.distributions) {
        if (std::holds_alternative<DebianSource>(spec.from)) {
            request.sources.push_back(wanted_source("debian", spec));
        }
    }
    return request;
}

/// Distributions as apt was asked for them, then those of CPAN: the order of the releases behind
/// perl's.
std::vector<const DistributionSpec*> ordered_specs(const PerlBundle& bundle) {
    std::vector<const DistributionSpec*> out;
    for (const DistributionSpec& spec : bundle.distributions) {
        out.push_back(&spec);
    }
    std::stable_partition(out.begin(), out.end(), [](const DistributionSpec* spec) {
        return std::holds_alternative<DebianSource>(spec->from);
    });
    return out;
}

/// What the locked files say of themselves.
class FetchedBundle {
  public:
    FetchedBundle(
        const PerlBundle& bundle, const std::vector<LockedSource>& sources, const InputContext& in)
        : sources_(sources), specs_(ordered_specs(bundle)), members_(specs_.size()),
          depends_(specs_.size()) {
        Job job = in.console.start("read the tarballs");
        job.set_total(sources.size(), Job::Unit::items);
        parallel_for(sources.size(), default_jobs(), [&](std::size_t i) {
            const fs::path file = in.pool.path_of(sources[i].sha256);
            if (i == 0) {
                core_ = read_core_modules(file, sources[0].name);
            } else {
                read_member(i - 1, file);
            }
            job.add(1);
        });
        state_needs();
        job.finish();
    }

    [[nodiscard]] std::vector<LockedDistribution> in_build_order() {
        BuildOrder built = resolve_prerequisites(members_, core_, sources_.front().version);
        std::ranges::move(built.faults, std::back_inserter(faults_));
        require_no_faults();
        std::vector<LockedDistribution> out;
        for (const std::size_t i : built.order) {
            const Distribution& distribution = members_[i].distribution;
            LockedDistribution locked{
                members_[i].name,
                distribution.name,
                distribution.version,
                std::string(build_tool_name(distribution.tool)),
                {}};
            for (const std::size_t need : built.needs[i]) {
                locked.needs.push_back(members_[need].name);
            }
            std::ranges::sort(locked.needs);
            out.push_back(std::move(locked));
        }
        return out;
    }

  private:
    void read_member(std::size_t i, const fs::path& file) {
        const LockedSource& source = sources_[i + 1];
        members_[i].name = source.name;
        if (source.kind == kPackageSource) {
            PerlPackage package = read_perl_package(file);
            members_[i].distribution = std::move(package.distribution);
            depends_[i] = std::move(package.depends);
        } else {
            members_[i].distribution =
                read_distribution(file, source.location.substr(source.location.rfind('/') + 1));
        }
    }

    /// Needs that no META file states: the bundle's own, and what packages depend on.
    void state_needs() {
        std::map<std::string, std::string> names; // the bundle's word -> the member's name
        for (std::size_t i = 0; i < specs_.size(); ++i) {
            names[specs_[i]->name()] = members_[i].name;
        }
        for (std::size_t i = 0; i < specs_.size(); ++i) {
            for (const std::string& need : specs_[i]->needs) {
                const auto found = names.find(need);
                members_[i].also_needs.push_back(found == names.end() ? need : found->second);
            }
            for (std::string& need :
                 members_for(depends_[i], members_[i].name, members_, core_, faults_)) {
                members_[i].also_needs.push_back(std::move(need));
            }
        }
    }

    void require_no_faults() {
        if (!faults_.empty()) {
            throw Error(
                fmt::format(
                    "{} prerequisite{} cannot be met",
                    faults_.size(),
                    faults_.size() == 1 ? "" : "s"),
                ExitCode::invalid_recipe)
                .with_details(std::move(faults_))
                .with_hint("add what is missing to 'distributions' of the bundle");
        }
    }

    const std::vector<LockedSource>& sources_; ///< perl first
    std::vector<const DistributionSpec*> specs_;
    std::vector<BundleMember> members_;
    std::vector<std::vector<Alternatives>> depends_;
    PerlModules core_;
    std::vector<std::string> faults_;
};

} // namespace

Lockfile
lock_bundle(const PerlBundle& bundle, const InputContext& in, const fs::path& keyring_dir) {
    require_online(in);
    const SolveRequest request = solve_request(bundle, in, keyring_dir);
    SolveResult solved = solve(request, in.processes, in.console);
    auto releases = std::move(solved.sources);
    Lockfile lock = lock_of(bundle.name, request, std::move(solved));
    for (const DistributionSpec& spec : bundle.distributions) {
        if (const auto* release = std::get_if<CpanRelease>(&spec.from)) {
            releases.push_back({locked_release(*release)});
        }
    }
    lock.sources = fetch_first_of_each(bundle, releases, lock.snapshot, in);
    lock.distributions = FetchedBundle(bundle, lock.sources, in).in_build_order();
    std::ranges::sort(lock.sources, [](const LockedSource& a, const LockedSource& b) {
        return std::tie(a.kind, a.name) < std::tie(b.kind, b.name);
    });
    return lock;
}

} // namespace kiln
