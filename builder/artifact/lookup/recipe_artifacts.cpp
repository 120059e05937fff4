// SPDX-License-Identifier: MIT
#include "artifact/lookup/recipe_artifacts.hpp"

#include "base/error.hpp"
#include "resolve/make_lock.hpp"
#include "resolve/recipe_lock.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kiln {

namespace {

std::unique_ptr<ArtifactDefinition> load_definition(const ArtifactSpec& spec) {
    Diagnostics diags;
    std::unique_ptr<ArtifactDefinition> definition;
    try {
        definition = load_artifact_definition(spec.definition, spec.kind, diags);
    } catch (const SystemError& error) {
        throw Error(
            fmt::format("{}: {}", spec.pos.to_string(), error.message()), ExitCode::invalid_recipe);
    }
    diags.throw_if_errors(
        fmt::format("{} '{}'", artifact_kind_name(spec.kind), spec.definition.string()));
    KILN_CHECK(definition != nullptr);
    return definition;
}

} // namespace

void check_artifacts(const Recipe& recipe, Diagnostics& diags) {
    for (const auto& [name, spec] : recipe.artifacts) {
        try {
            static_cast<void>(load_artifact_definition(spec.definition, spec.kind, diags));
        } catch (const Error& error) { // it cannot be read, or is not a regular file
            diags.error(spec.pos, error.message());
        }
    }
    for (const auto* list :
         {&recipe.stages, &recipe.vm_stages, &recipe.oci_stages, &recipe.final_stages}) {
        for (const StageSpec& stage : *list) {
            if (stage.takes != StageTakes::artifact) {
                continue;
            }
            const Value& named = stage.options.at("artifact");
            if (!recipe.artifacts.contains(named.as_string())) {
                diags.error(
                    named.pos(),
                    fmt::format("the recipe has no artifact '{}'", named.as_string()),
                    "add it to 'artifacts:' in the recipe");
            }
        }
    }
}

RecipeArtifacts::RecipeArtifacts(const Recipe& recipe, const Store& store) : store_(store) {
    for (const auto& [name, spec] : recipe.artifacts) {
        items_[name] = {&spec, load_definition(spec)};
    }
}

const RecipeArtifacts::Item& RecipeArtifacts::item(const std::string& name) const {
    const auto found = items_.find(name);
    if (found == items_.end()) {
        throw Error(fmt::format("the recipe has no artifact '{}'", name), ExitCode::invalid_recipe)
            .with_hint("add it to 'artifacts:' in the recipe");
    }
    return found->second;
}

Lockfile RecipeArtifacts::lock_of(const Item& item) {
    return item.definition->load_lock(item.spec->definition);
}

bool RecipeArtifacts::is_at_hand(
    const Item& item, const std::vector<std::string>& registries, const InputContext& in) const {
    if (!fs::exists(lock_path(item.spec->definition))) {
        return false;
    }
    Lockfile lock;
    Digest wanted;
    try {
        lock = lock_of(item);
        wanted = item.definition->key(lock, in.pool);
    } catch (const Error&) {
        return false; // whatever is wrong with the lock, a new one is wanted
    }
    return store_.contains(wanted) || pull_from_any(item, lock, registries, in);
}

void RecipeArtifacts::make_lock(const Item& item, const InputContext& in) {
    const fs::path path = lock_path(item.spec->definition);
    for (const std::string& line : replace_lock(path, item.definition->lock(in), in.console)) {
        in.console.debug(line);
    }
    in.console.info(fmt::format("locked {}: '{}'", item.definition->describe(), path.string()));
}

void RecipeArtifacts::make_missing_locks(const InputContext& in) const {
    for (const auto& [name, item] : items_) {
        if (!fs::exists(lock_path(item.spec->definition))) {
            make_lock(item, in);
        }
    }
}

void RecipeArtifacts::refresh_locks(
    const std::vector<std::string>& registries, const InputContext& in) const {
    for (const auto& [name, item] : items_) {
        if (!is_at_hand(item, registries, in)) {
            make_lock(item, in);
        }
    }
}

std::vector<LockedSource> RecipeArtifacts::locked() const {
    std::vector<LockedSource> out;
    for (const auto& [name, item] : items_) {
        LockedSource source;
        source.kind = "artifact";
        source.name = name;
        source.version = item.definition->name();
        source.sha256 = lock_of(item).digest();
        out.push_back(std::move(source));
    }
    return out;
}

Digest RecipeArtifacts::key(const std::string& name, const Pool& pool) const {
    const Item& found = item(name);
    return found.definition->key(lock_of(found), pool);
}

ArtifactInput RecipeArtifacts::load(const std::string& name, const Pool& pool) const {
    const Digest found = key(name, pool);
    ArtifactInput out{store_.load(found), {}};
    for (const ArtifactLibrary& library : stored_artifact(store_, found).libraries) {
        out.libraries.push_back({library.path, library.package});
    }
    return out;
}

bool RecipeArtifacts::pull(
    const Item& item,
    const WantedArtifact& wanted,
    const std::string& repository,
    const InputContext& in) const {
    try {
        const RegistryReference reference = parse_registry_reference(repository);
        RegistryClient registry(
            in.http,
            reference.repository,
            find_registry_credentials(reference.repository, in.env, in.processes));
        const auto pulled = pull_artifact(
            artifact_tag(wanted.name, wanted.result.key), wanted, registry, store_, in.console);
        if (!pulled) {
            in.console.info(fmt::format(
                "'{}' does not have the locked version of {}",
                repository,
                item.definition->describe()));
        }
        return pulled.has_value();
    } catch (const UsageError&) {
        throw;
    } catch (const Error& error) {
        in.console.warning(fmt::format(
            "{} cannot be pulled from '{}': {}",
            item.definition->describe(),
            repository,
            error.message()));
        return false;
    }
}

bool RecipeArtifacts::pull_from_any(
    const Item& item,
    const Lockfile& lock,
    const std::vector<std::string>& registries,
    const InputContext& in) const {
    std::vector<std::string> repositories = registries;
    if (!item.spec->registry.empty()) {
        repositories.push_back(item.spec->registry);
    }
    if (in.offline || repositories.empty()) {
        return false;
    }
    WantedArtifact wanted{item.definition->name(), {}};
    try {
        wanted.result = item.definition->locked_result(
            item.spec->definition, lock, item.definition->key(lock, in.pool));
    } catch (const Error& error) {
        in.console.warning(fmt::format("{}; {}", error.message(), error.hint()));
        return false;
    }
    return std::any_of(
        repositories.begin(), repositories.end(), [&](const std::string& repository) {
            return pull(item, wanted, repository, in);
        });
}

void RecipeArtifacts::fetch_or_build(
    const std::string& name,
    const std::vector<std::string>& registries,
    const InputContext& in,
    unsigned jobs) const {
    const Item& found = item(name);
    const Lockfile lock = lock_of(found);
    const Digest wanted = found.definition->key(lock, in.pool);
    if (store_.contains(wanted)) {
        return;
    }
    if (pull_from_any(found, lock, registries, in)) {
        return;
    }
    static_cast<void>(found.definition->build(lock, in, store_, jobs));
}

void RecipeArtifacts::note_results(const InputContext& in) const {
    for (const auto& [name, item] : items_) {
        const Lockfile lock = lock_of(item);
        const Digest key = item.definition->key(lock, in.pool);
        if (store_.contains(key)) {
            item.definition->note_result(
                item.spec->definition, lock, stored_artifact(store_, key), in.console);
        }
    }
}

} // namespace kiln
