// SPDX-License-Identifier: MIT
#include "artifact/perl/bundle_members.hpp"

#include "artifact/perl/bundle_inputs.hpp"
#include "base/error.hpp"
#include "base/parallel.hpp"
#include "perl/cpanfile.hpp"
#include "resolve/upstream_release.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace kiln {

namespace {

std::vector<WantedModule> wanted_modules(const PerlBundle& bundle) {
    std::vector<WantedModule> out;
    for (const DistributionSpec& spec : bundle.distributions) {
        if (const auto* module = std::get_if<CpanModule>(&spec.from)) {
            out.push_back({{NeedPhase::runtime, module->module, {}}, spec.pos.to_string()});
        }
    }
    for (const fs::path& path : bundle.cpanfiles) {
        for (ModuleNeed& need : parse_cpanfile(read_text_file(path), path.string())) {
            out.push_back({std::move(need), path.string()});
        }
    }
    return out;
}

} // namespace

BundleMembers::BundleMembers(
    const PerlBundle& bundle, const LockedSource& perl, const InputContext& in)
    : bundle_(bundle), in_(in), perl_source_(perl),
      perl_(read_perl_source(in.pool.path_of(perl.sha256), perl.name)),
      wanted_(wanted_modules(bundle)) {}

void BundleMembers::read(const std::vector<LockedSource>& sources) {
    const std::size_t first = files_.size();
    for (const LockedSource& source : sources) {
        files_.push_back({source, {}});
    }
    members_.resize(files_.size());
    parallel_for(sources.size(), default_jobs(), [&](std::size_t i) {
        const LockedSource& source = sources[i];
        const fs::path file = in_.pool.path_of(source.sha256);
        BundleMember& member = members_[first + i];
        member.name = source.name;
        if (source.kind == kPackageSource) {
            PerlPackage package = read_perl_package(file);
            member.distribution = std::move(package.distribution);
            files_[first + i].depends = std::move(package.depends);
        } else {
            member.distribution =
                read_distribution(file, source.location.substr(source.location.rfind('/') + 1));
        }
    });
}

const DistributionSpec* BundleMembers::spec_of(const LockedSource& source) const {
    for (const DistributionSpec& spec : bundle_.distributions) {
        const auto release = releases_.find(spec.name());
        const bool is_release = release != releases_.end() && release->second == source.location;
        if (is_release || locked_name(spec) == source.name) {
            return &spec;
        }
    }
    return nullptr;
}

/// Needs that no META file states: the bundle's own, and what packages depend on.
void BundleMembers::state_needs() {
    faults_.clear();
    std::map<std::string, std::string> names; // the bundle's word -> the member's name
    for (const Member& member : files_) {
        if (const DistributionSpec* spec = spec_of(member.source)) {
            names[spec->name()] = member.source.name;
            if (!spec->replaces.empty()) {
                names[spec->replaces] = member.source.name;
            }
        }
    }
    for (std::size_t i = 0; i < members_.size(); ++i) {
        members_[i].also_needs =
            members_for(files_[i].depends, members_[i].name, members_, perl_.modules, faults_);
        const DistributionSpec* spec = spec_of(files_[i].source);
        for (const std::string& need : spec == nullptr ? std::vector<std::string>() : spec->needs) {
            const auto found = names.find(need);
            members_[i].also_needs.push_back(found == names.end() ? need : found->second);
        }
    }
}

void BundleMembers::check_names() const {
    std::map<std::string, const BundleMember*> seen;
    std::vector<std::string> twice;
    for (const BundleMember& member : members_) {
        const Distribution& added = member.distribution;
        const auto [first, is_new] = seen.emplace(added.name, &member);
        if (!is_new) {
            twice.push_back(fmt::format(
                "{}: {} of {} and {} of {}",
                added.name,
                first->second->distribution.version,
                first->second->name,
                added.version,
                member.name));
        }
    }
    if (!twice.empty()) {
        throw Error(
            fmt::format(
                "{} distribution{} in the bundle more than once",
                twice.size(),
                twice.size() == 1 ? " is" : "s are"),
            ExitCode::invalid_recipe)
            .with_details(std::move(twice))
            .with_hint("remove the duplicate, or use 'replaces' to override a distribution of an "
                       "extended bundle");
    }
}

BuildOrder BundleMembers::resolve() {
    state_needs();
    return resolve_prerequisites(members_, perl_.modules, perl_source_.version, wanted_);
}

void BundleMembers::complete_from(CpanMirror& mirror) {
    bool grows = mirror.is_given();
    while (grows) {
        grows = false;
        for (const std::string& module : resolve().missing) {
            grows = add_release_with(module, mirror) || grows;
        }
    }
    for (const DistributionSpec& spec : bundle_.distributions) {
        const auto* module = std::get_if<CpanModule>(&spec.from);
        const auto entry = module == nullptr ? std::nullopt : mirror.find(module->module);
        if (entry) {
            releases_[module->module] = entry->path;
        }
    }
}

/// Returns whether something was added.
bool BundleMembers::add_release_with(const std::string& module, CpanMirror& mirror) {
    const auto entry = mirror.find(module);
    if (!entry) {
        return false;
    }
    for (std::size_t i = 0; i < files_.size(); ++i) {
        if (files_[i].source.location == entry->path) {
            // The index knows modules that only running the release's own code would show.
            return members_[i].distribution.modules.emplace(module, entry->version).second;
        }
    }
    read({mirror.pin(entry->path)});
    const std::string& name = members_.back().distribution.name;
    const bool is_there =
        std::any_of(members_.begin(), members_.end() - 1, [&](const BundleMember& member) {
            return member.distribution.name == name;
        });
    if (is_there) { // in another version, in which the module is missing: reported as a fault
        members_.pop_back();
        files_.pop_back();
        return false;
    }
    in_.console.debug(fmt::format("{} comes from CPAN, for {}", entry->path, module));
    members_.back().distribution.modules.emplace(module, entry->version);
    return true;
}

std::vector<LockedSource> BundleMembers::sources() const {
    std::vector<LockedSource> out{perl_source_};
    for (const Member& member : files_) {
        out.push_back(member.source);
    }
    for (const auto& [module, path] : releases_) {
        const auto release = std::find_if(files_.begin(), files_.end(), [&](const Member& member) {
            return member.source.location == path;
        });
        if (release != files_.end()) {
            LockedSource alias = release->source;
            alias.kind = kModuleSource;
            alias.name = module;
            out.push_back(std::move(alias));
        }
    }
    return out;
}

std::vector<LockedDistribution> BundleMembers::in_build_order() {
    check_names();
    BuildOrder built = resolve();
    std::ranges::move(built.faults, std::back_inserter(faults_));
    if (!faults_.empty()) {
        throw Error(
            fmt::format(
                "{} prerequisite{} not satisfied", faults_.size(), faults_.size() == 1 ? "" : "s"),
            ExitCode::invalid_recipe)
            .with_details(std::move(faults_))
            .with_hint("add the missing distributions to 'distributions' in the bundle, or add a "
                       "CPAN mirror with --cpan");
    }
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
        std::sort(locked.needs.begin(), locked.needs.end());
        out.push_back(std::move(locked));
    }
    return out;
}

} // namespace kiln
