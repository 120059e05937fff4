// SPDX-License-Identifier: MIT
#include "pipeline/bundle_lock.hpp"

#include "base/output_version.hpp"
#include "base/paths.hpp"
#include "pipeline/make_lock.hpp"
#include "pipeline/solve.hpp"

#include <algorithm>
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
    out.kind = "cpan";
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
    request.sources.push_back(wanted_source("perl", bundle.perl));
    for (const DistributionSpec& spec : bundle.distributions) {
        if (std::holds_alternative<DebianSource>(spec.from)) {
            request.sources.push_back(wanted_source("debian", spec));
        }
    }
    return request;
}

} // namespace

Lockfile
lock_bundle(const PerlBundle& bundle, const InputContext& in, const fs::path& keyring_dir) {
    require_online(in);
    const SolveRequest request = solve_request(bundle, in, keyring_dir);
    Lockfile lock = lock_of(bundle.name, request, solve(request, in.processes, in.console));
    for (const DistributionSpec& spec : bundle.distributions) {
        if (const auto* release = std::get_if<CpanRelease>(&spec.from)) {
            lock.sources.push_back(locked_release(*release));
        }
    }
    std::ranges::sort(lock.sources, [](const LockedSource& a, const LockedSource& b) {
        return std::tie(a.kind, a.name) < std::tie(b.kind, b.name);
    });
    return lock;
}

} // namespace kiln
