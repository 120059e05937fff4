// SPDX-License-Identifier: MIT
#include "artifact/perl/bundle_lock.hpp"

#include "artifact/perl/bundle_inputs.hpp"
#include "artifact/perl/bundle_members.hpp"
#include "artifact/perl/bundle_plan.hpp"
#include "artifact/perl/cpan_mirror.hpp"
#include "resolve/make_lock.hpp"
#include "resolve/request_of.hpp"
#include "resolve/solve.hpp"
#include "resolve/upstream_release.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <tuple>

namespace kiln {

namespace {

SolveSource wanted_source(const char* kind, const DistributionSpec& spec) {
    const auto& from = std::get<DebianSource>(spec.from);
    return {kind, from.package, from.suite, from.version, spec.pos.to_string()};
}

/// A release whose digest the bundle itself states.
LockedSource locked_release(const char* kind, const DistributionSpec& spec) {
    const auto& release = std::get<CpanRelease>(spec.from);
    LockedSource out;
    out.kind = kind;
    out.name = locked_name(spec);
    out.version = version_in_path(release.path);
    out.location = release.path;
    out.sha256 = release.sha256;
    return out;
}

SolveRequest
solve_request(const PerlBundle& bundle, const InputContext& in, const fs::path& keyring_dir) {
    SolveRequest request = build_root_request(bundle.name, bundle.root, in, keyring_dir);
    request.source_archives =
        solve_archives(bundle.source_archives, in, keyring_dir / "debian-archive-keyring.gpg");
    if (std::holds_alternative<DebianSource>(bundle.perl.from)) {
        request.sources.push_back(wanted_source(kPerlSource, bundle.perl));
    }
    for (const DistributionSpec& spec : bundle.distributions) {
        if (std::holds_alternative<DebianSource>(spec.from)) {
            request.sources.push_back(wanted_source("debian", spec));
        }
    }
    return request;
}

/// Lists of releases to choose from: perl's first.
std::vector<std::vector<LockedSource>>
all_releases(const PerlBundle& bundle, std::vector<std::vector<LockedSource>> of_archives) {
    std::vector<std::vector<LockedSource>> out;
    if (std::holds_alternative<CpanRelease>(bundle.perl.from)) {
        out.push_back({locked_release(kPerlSource, bundle.perl)});
    }
    std::ranges::move(of_archives, std::back_inserter(out));
    for (const DistributionSpec& spec : bundle.distributions) {
        if (std::holds_alternative<CpanRelease>(spec.from)) {
            out.push_back({locked_release(kCpanSource, spec)});
        }
    }
    return out;
}

} // namespace

Lockfile
lock_bundle(const PerlBundle& bundle, const InputContext& in, const fs::path& keyring_dir) {
    require_online(in);
    const SolveRequest request = solve_request(bundle, in, keyring_dir);
    SolveResult solved = solve(request, in.processes, in.console);
    const auto releases = all_releases(bundle, std::move(solved.sources));
    Lockfile lock = lock_of(bundle.name, request, std::move(solved));
    lock.request = request_of(bundle);
    std::vector<LockedSource> sources = fetch_first_of_each(bundle, releases, lock.snapshot, in);
    Job job = in.console.start("read tarballs");
    BundleMembers members(bundle, sources.front(), in);
    sources.erase(sources.begin());
    members.read(sources);
    CpanMirror mirror(in);
    members.complete_from(mirror);
    mirror.warn_unused_keyring();
    lock.distributions = members.in_build_order();
    lock.sources = members.sources();
    // What is built must not change whenever some archive publishes something.
    lock.epoch = members.newest_time_of_perl();
    std::ranges::sort(lock.sources, [](const LockedSource& a, const LockedSource& b) {
        return std::tie(a.kind, a.name) < std::tie(b.kind, b.name);
    });
    job.finish(fmt::format("{} distributions", lock.distributions.size()));
    return lock;
}

} // namespace kiln
