// SPDX-License-Identifier: MIT
#include "resolve/make_lock.hpp"

#include "base/io/paths.hpp"
#include "base/output_version.hpp"
#include "inputs/source_inputs.hpp"
#include "recipe/branch.hpp"
#include "resolve/release_dates.hpp"
#include "resolve/request_of.hpp"
#include "resolve/solve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <tuple>

namespace kiln {

namespace {

void add_stages(SolveRequest& request, const std::vector<StageSpec>& specs, Branch branch) {
    for (const StageSpec& spec : specs) {
        if (spec.takes == StageTakes::packages) {
            request.stages.push_back(
                {.branch = std::string(branch_name(branch)),
                 .name = spec.name,
                 .install = spec.options.strings_or_empty("install"),
                 .recommends = spec.options.at("recommends").as_boolean(),
                 .where = spec.pos.to_string()});
        }
    }
}

std::vector<LockedPackage> kept_packages(const LockRequest& request) {
    std::vector<LockedPackage> out;
    if (!request.update.empty() && request.before) {
        for (const LockedPackage& package : request.before->packages) {
            if (!request.update.contains(package.package)) {
                out.push_back(package);
            }
        }
    }
    return out;
}

} // namespace

std::vector<SolveArchive> solve_archives(
    const std::vector<ArchiveSpec>& archives,
    const InputContext& in,
    const fs::path& debian_keyring) {
    std::vector<SolveArchive> out;
    for (const ArchiveSpec& archive : archives) {
        const fs::path& keyring = archive.keyring.empty() ? debian_keyring : archive.keyring;
        for (const std::string& suite : archive.suites) {
            const ArchiveId id{archive.archive, suite, archive.components, archive.url};
            out.push_back({id, in.mirrors.bases(id).front(), keyring, archive.allow_expired});
        }
    }
    return out;
}

void require_online(const InputContext& in) {
    if (in.offline) {
        throw Error("a lock cannot be made with --offline")
            .with_hint("run without --offline, or use the existing lock");
    }
}

Lockfile lock_of(const std::string& name, const SolveRequest& request, SolveResult solved) {
    Lockfile lock;
    lock.recipe = name;
    lock.architecture = request.architecture;
    lock.output_version = kOutputVersion;
    lock.epoch = solved.epoch;
    lock.snapshot = std::move(solved.snapshot);
    lock.keyrings = std::move(solved.keyrings);
    lock.releases = std::move(solved.releases);
    lock.stages = std::move(solved.stages);
    lock.packages = std::move(solved.packages);
    return lock;
}

void set_proxies(SolveRequest& request, const InputContext& in) {
    if (in.proxies != nullptr) {
        request.proxy_settings = in.proxies->apt().settings();
        request.proxies = in.proxies->environment();
    }
}

Lockfile make_lock(const Recipe& recipe, const LockRequest& request, const InputContext& in) {
    require_online(in);
    SolveRequest solve_request;
    solve_request.recipe = recipe.name;
    solve_request.architecture = recipe.architecture;
    solve_request.cache = cache_root() / "apt";
    set_proxies(solve_request, in);
    solve_request.keep = kept_packages(request);
    solve_request.archives =
        solve_archives(recipe.archives, in, request.keyring_dir / "debian-archive-keyring.gpg");
    for (const PinSpec& pin : recipe.pins) {
        for (const std::string& package : pin.packages) {
            solve_request.pins.push_back({package, pin.suite, "", static_cast<int>(pin.priority)});
        }
    }
    add_stages(solve_request, recipe.stages, Branch::common);
    add_stages(solve_request, recipe.vm_stages, Branch::vm);
    add_stages(solve_request, recipe.oci_stages, Branch::oci);
    Lockfile lock =
        lock_of(recipe.name, solve_request, solve(solve_request, in.processes, in.console));
    lock.request = request_of(recipe);
    lock.sources = request.artifacts;
    std::ranges::move(lock_sources(recipe.sources, in), std::back_inserter(lock.sources));
    std::ranges::sort(lock.sources, [](const LockedSource& a, const LockedSource& b) {
        return std::tie(a.kind, a.name) < std::tie(b.kind, b.name);
    });
    return lock;
}

std::vector<std::string>
replace_lock(const fs::path& path, const Lockfile& lock, Console& console) {
    Lockfile before;
    if (fs::exists(path)) {
        Diagnostics faults;
        auto file = std::make_shared<SourceFile>(SourceFile{path.string(), read_text_file(path)});
        Lockfile old = parse_lockfile(std::move(file), faults);
        before = faults.has_errors() ? Lockfile() : std::move(old);
    }
    for (const std::string& line : describe_steps_back(before, lock)) {
        console.warning(line);
    }
    Lockfile kept = lock;
    if (!kept.result && before.digest() == kept.digest()) {
        kept.result = before.result; // it was built of the same
    }
    write_file_atomically(path, kept.to_text());
    return describe_changes(before, lock);
}

} // namespace kiln
