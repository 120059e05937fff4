// SPDX-License-Identifier: MIT
#include "artifact/perl/bundle_plan.hpp"

#include "artifact/perl/bundle_inputs.hpp"
#include "artifact/perl/bundle_members.hpp"
#include "base/error.hpp"
#include "base/output_version.hpp"
#include "resolve/upstream_release.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace kiln {

namespace {

BuildTool tool_called(const std::string& name) {
    for (const BuildTool tool : {BuildTool::makefile, BuildTool::build_script, BuildTool::none}) {
        if (build_tool_name(tool) == name) {
            return tool;
        }
    }
    throw Error(
        fmt::format("the lock requires an unknown build tool '{}'", name),
        ExitCode::invalid_recipe);
}

Digest key_of(const PlannedDistribution& distribution, const Digest& perl_key) {
    // What it is built on is in it with all that these are built on.
    return FieldHasher("kiln.perl-distribution.v1")
        .field("perl", perl_key)
        .field("kind", distribution.source->kind)
        .field("source", distribution.source->sha256)
        .field("tool", distribution.locked->tool)
        .finish();
}

} // namespace

BundlePlan::BundlePlan(const PerlBundle& bundle, const Lockfile& lock, const Pool& pool)
    : root_(bundle.name, bundle.root, lock, pool, refresh_bundle(bundle)) {
    check_fit(bundle, lock);
    perl_source_ = lock.find_source(locked_name(bundle.perl));
    perl_ = {bundle.prefix, perl_source_->version};
    perl_key_ = FieldHasher("kiln.perl.v1")
                    .field("output-version", kOutputVersion)
                    .field("build-version", kPerlBuildVersion)
                    .field("root", root_.key())
                    .field("source", perl_source_->sha256)
                    .field("version", perl_source_->version)
                    .field("prefix", bundle.prefix)
                    .finish();
    add_distributions(lock);
    FieldHasher hasher("kiln.perl-bundle.v1");
    hasher.field("perl", perl_key_);
    for (const PlannedDistribution& distribution : distributions_) {
        hasher.field("distribution", distribution.key);
    }
    key_ = hasher.finish();
}

void BundlePlan::add_distributions(const Lockfile& lock) {
    std::map<std::string, std::size_t> indices;
    for (const LockedDistribution& locked : lock.distributions) {
        PlannedDistribution planned;
        planned.locked = &locked;
        planned.source = lock.find_source(locked.source);
        planned.tool = tool_called(locked.tool);
        std::set<std::size_t> all;
        FieldHasher hasher("kiln.perl-distribution-needs.v1");
        hasher.field("self", key_of(planned, perl_key_));
        for (const std::string& name : locked.needs) {
            const std::size_t need = indices.at(name); // the lock's reader has seen to the order
            planned.needs.push_back(need);
            all.insert(need);
            all.insert(
                distributions_[need].all_needs.begin(), distributions_[need].all_needs.end());
            hasher.field("need", distributions_[need].key);
        }
        planned.all_needs.assign(all.begin(), all.end());
        planned.key = hasher.finish();
        indices[locked.source] = distributions_.size();
        distributions_.push_back(std::move(planned));
    }
}

namespace {

/// Whether a locked source is what the bundle asks for.
bool fits(const DistributionSpec& spec, const LockedSource& source) {
    if (const auto* release = std::get_if<CpanRelease>(&spec.from)) {
        return source.sha256 == release->sha256;
    }
    if (std::holds_alternative<CpanModule>(spec.from)) {
        return source.kind == kModuleSource;
    }
    const auto& debian = std::get<DebianSource>(spec.from);
    const bool is_package = source.kind == kPackageSource; // its version has Debian's revision
    return (debian.suite.empty() || source.suite == debian.suite) &&
           (debian.version.empty() || is_package || source.version == debian.version);
}

} // namespace

/// Everything that the bundle names is in the lock as it asks for it, and of what Debian has
/// nothing else is: releases of CPAN may have come along for what needs them.
void BundlePlan::check_fit(const PerlBundle& bundle, const Lockfile& lock) const {
    const auto outdated = [&](const std::string& what) {
        return Error(
                   fmt::format("the lock of bundle '{}' is out of date: {}", bundle.name, what),
                   ExitCode::invalid_recipe)
            .with_hint(fmt::format("run {} to update it", refresh_bundle(bundle)));
    };
    std::set<std::string> wanted;
    std::vector<const DistributionSpec*> specs{&bundle.perl};
    for (const DistributionSpec& spec : bundle.distributions) {
        specs.push_back(&spec);
    }
    for (const DistributionSpec* spec : specs) {
        const std::string name = locked_name(*spec);
        wanted.insert(name);
        const LockedSource* source = lock.find_source(name);
        if (source == nullptr || !fits(*spec, *source)) {
            throw outdated(fmt::format("{} differs from {}", name, spec->pos.to_string()));
        }
    }
    for (const LockedDistribution& locked : lock.distributions) {
        if (!wanted.contains(locked.source) &&
            lock.find_source(locked.source)->kind != kCpanSource) {
            throw outdated(fmt::format("{} is not in the bundle", locked.source));
        }
    }
    if (lock.distributions.empty() && !bundle.distributions.empty()) {
        throw outdated("it has no build order");
    }
}

} // namespace kiln
