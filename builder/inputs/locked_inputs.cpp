// SPDX-License-Identifier: MIT
#include "inputs/locked_inputs.hpp"

#include "inputs/git_checkout.hpp"
#include "inputs/git_source.hpp"
#include "inputs/source_inputs.hpp"
#include "recipe/branch.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kiln {

namespace {

/// What a mirror must have to serve a package.
ArchiveId archive_of(const Recipe& recipe, const LockedPackage& package) {
    ArchiveId id{package.archive, package.suite, {}};
    for (const ArchiveSpec& archive : recipe.archives) {
        if (archive.archive == package.archive) {
            id.components = archive.components;
            id.url = archive.url;
        }
    }
    return id;
}

/// `wanted` is NAME, NAME=VERSION or NAME/SUITE. A suite has several names: any will do.
bool has_locked(const Lockfile& lock, std::string_view wanted) {
    const std::size_t end = wanted.find_first_of("=/");
    const LockedPackage* package = lock.find(wanted.substr(0, end));
    const bool is_version = end != std::string_view::npos && wanted[end] == '=';
    return package != nullptr && (!is_version || package->version == wanted.substr(end + 1));
}

Error outdated(const Recipe& recipe, std::string message) {
    return Error(std::move(message), ExitCode::invalid_recipe)
        .with_hint(fmt::format("run 'kiln lock {}' to update the lock", recipe.name));
}

} // namespace

LockedInputs::LockedInputs(
    const Recipe& recipe, const Lockfile& lock, const Pool& pool, const ArtifactLookup* artifacts)
    : recipe_(recipe), lock_(lock), pool_(pool), artifacts_(artifacts),
      refresh_(fmt::format("'kiln lock {0}' or 'kiln bake {0} --refresh'", recipe.name)) {
    const auto add = [&](const std::vector<StageSpec>& specs, Branch branch) {
        for (const StageSpec& spec : specs) {
            branch_of_[spec.name] = branch_name(branch);
        }
    };
    add(recipe.stages, Branch::common);
    add(recipe.vm_stages, Branch::vm);
    add(recipe.oci_stages, Branch::oci);
    check_fit();
    check_artifacts();
}

void LockedInputs::check_artifacts() const {
    if (artifacts_ == nullptr) {
        return;
    }
    for (const LockedSource& now : artifacts_->locked()) {
        const bool fits =
            std::any_of(lock_.sources.begin(), lock_.sources.end(), [&](const LockedSource& each) {
                return each == now;
            });
        if (!fits) {
            throw outdated(
                recipe_,
                fmt::format(
                    "artifact '{}' differs between the recipe's lock and the lock of bundle '{}'",
                    now.name,
                    now.version));
        }
    }
}

Digest LockedInputs::artifact_key(const std::string& name) const {
    KILN_CHECK(artifacts_ != nullptr);
    return artifacts_->key(name, pool_);
}

ArtifactInput LockedInputs::artifact(const std::string& name) const {
    KILN_CHECK(artifacts_ != nullptr);
    return artifacts_->load(name, pool_);
}

void LockedInputs::check_fit() const {
    if (lock_.recipe != recipe_.name) {
        throw outdated(
            recipe_,
            fmt::format("the lock is for recipe '{}', not '{}'", lock_.recipe, recipe_.name));
    }
    for (const auto* specs : {&recipe_.stages, &recipe_.vm_stages, &recipe_.oci_stages}) {
        for (const StageSpec& spec : *specs) {
            if (spec.takes != StageTakes::packages) {
                continue;
            }
            const auto locked = locked_packages(spec);
            for (const std::string& wanted : spec.options.strings_or_empty("install")) {
                if (!has_locked(lock_, wanted)) {
                    throw outdated(
                        recipe_,
                        fmt::format(
                            "{}: package '{}' of stage '{}' is not in the lock",
                            spec.pos.to_string(),
                            wanted,
                            spec.name));
                }
            }
        }
    }
}

std::vector<const LockedPackage*> LockedInputs::locked_packages(const StageSpec& stage) const {
    return lock_.packages_of(branch_of_.at(stage.name), stage.name);
}

std::vector<LockedDeb> LockedInputs::packages(const StageSpec& stage) const {
    std::vector<LockedDeb> out;
    for (const LockedPackage* package : locked_packages(stage)) {
        out.push_back(
            {.name = package->package,
             .version = package->version,
             .architecture = package->architecture,
             .path = pool_.path_of(package->sha256),
             .sha256 = package->sha256});
    }
    return out;
}

std::set<std::string> LockedInputs::private_packages() const {
    std::set<std::string> archives;
    for (const ArchiveSpec& archive : recipe_.archives) {
        if (!archive.keyring.empty()) {
            archives.insert(archive.archive);
        }
    }
    std::set<std::string> out;
    for (const LockedPackage& package : lock_.packages) {
        if (archives.contains(package.archive)) {
            out.insert(package.package);
        }
    }
    return out;
}

const LockedSource& LockedInputs::locked_source(const SourceSpec& source) const {
    if (const LockedSource* locked = find_locked_source(lock_, source)) {
        return *locked;
    }
    throw outdated(
        recipe_,
        fmt::format(
            "{}: source '{}' differs between the recipe and the lock",
            source.pos.to_string(),
            source.name));
}

namespace {

SourceInput folder_input(const SourceSpec& source, const HostFiles& host) {
    SourceInput out = directory_input(source, host);
    SystemProcessRunner processes;
    out.revision = checkout_revision(out.path, processes);
    if (out.revision.ends_with(" changed")) {
        out.revision += fmt::format(", {}", out.digest.to_string());
    }
    return out;
}

} // namespace

SourceInput LockedInputs::source(const std::string& name) const {
    const auto spec = recipe_.sources.find(name);
    if (spec == recipe_.sources.end()) {
        throw Error(fmt::format("the recipe has no source '{}'", name), ExitCode::invalid_recipe);
    }
    if (!std::holds_alternative<DirectorySource>(spec->second.from)) {
        return locked_input(spec->second, locked_source(spec->second), pool_);
    }
    const std::lock_guard lock(directories_mutex_);
    auto known = directories_.find(name);
    if (known == directories_.end()) {
        known = directories_.emplace(name, folder_input(spec->second, host())).first;
    }
    return known->second;
}

std::vector<std::string>
LockedInputs::urls_of(const LockedPackage& package, const InputContext& in) const {
    std::vector<std::string> out;
    for (const std::string& base : in.mirrors.bases(archive_of(recipe_, package))) {
        out.push_back(join_url(base, package.path));
    }
    if (const auto base = in.mirrors.snapshot_base(package.archive, lock_.snapshot)) {
        out.push_back(join_url(*base, package.path));
    }
    return out;
}

void LockedInputs::fetch(
    const std::vector<const StageSpec*>& stages, const InputContext& in) const {
    std::vector<PoolInput> inputs;
    std::set<Digest> seen;
    for (const StageSpec* stage : stages) {
        if (stage->takes == StageTakes::packages) {
            for (const LockedPackage* package : locked_packages(*stage)) {
                if (!seen.insert(package->sha256).second) {
                    continue;
                }
                PoolInput input{
                    fmt::format("{} {}", package->package, package->version),
                    package->sha256,
                    package->size,
                    {}};
                input.purpose = HttpPurpose::apt_mirror;
                input.find_urls = [&, package] { return urls_of(*package, in); };
                inputs.push_back(std::move(input));
            }
        } else if (stage->takes == StageTakes::source) {
            const SourceSpec& source = recipe_.sources.at(stage->options.at("source").as_string());
            if (std::holds_alternative<TarballSource>(source.from)) {
                inputs.push_back(tarball_input(source));
            } else if (std::holds_alternative<GitSource>(source.from)) {
                fetch_git_source(source, locked_source(source), refresh_, in);
            }
        }
    }
    FetchOptions options;
    options.offline = in.offline;
    options.refresh = refresh_;
    in.pool.fetch(inputs, in.http, options, in.console);
}

} // namespace kiln
