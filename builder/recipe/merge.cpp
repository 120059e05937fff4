// SPDX-License-Identifier: MIT
#include "recipe/merge.hpp"

#include <algorithm>
#include <chrono>

namespace kiln {

namespace {

fs::path keyring_of(const Value& archive, const fs::path& base_dir) {
    const Value* keyring = archive.find("keyring");
    return keyring == nullptr ? fs::path() : fs::absolute(base_dir / keyring->as_string());
}

void merge_pins(const Value& pins, Recipe& recipe) {
    recipe.pins.clear();
    for (const Value& pin : pins.as_list()) {
        recipe.pins.push_back(
            {pin.at("packages").as_strings(),
             pin.at("suite").as_string(),
             pin.at("priority").as_integer(),
             pin.pos()});
    }
}

void merge_ids(const Value* from, std::map<std::string, std::uint32_t>& to) {
    if (from == nullptr) {
        return;
    }
    for (const Member& member : from->members()) {
        to[member.key] = static_cast<std::uint32_t>(member.value.as_integer());
    }
}

/// Exceptions of a recipe add to those of the one that it extends.
void merge_lint(const Value& exceptions, Recipe& recipe) {
    for (const Value& exception : exceptions.as_list()) {
        recipe.lint_exceptions.push_back(
            {exception.at("allow").as_string(), exception.at("file").as_string().substr(1)});
    }
}

} // namespace

std::vector<ArchiveSpec> read_archives(const Value& archives, const fs::path& base_dir) {
    std::vector<ArchiveSpec> out;
    for (const Value& archive : archives.as_list()) {
        out.push_back(
            {archive.at("archive").as_string(),
             archive.at("suites").as_strings(),
             archive.at("components").as_strings(),
             keyring_of(archive, base_dir),
             archive.pos(),
             archive.string_or_empty("url"),
             archive.at("allow_expired").as_boolean()});
    }
    return out;
}

namespace {

ArtifactSpec read_artifact(
    const std::string& name, const Value& value, const fs::path& base_dir, const Project& project) {
    ArtifactSpec out;
    out.name = name;
    out.kind = value.contains("program") ? ArtifactKind::program : ArtifactKind::bundle;
    out.definition = project.resolve(
        out.kind == ArtifactKind::program ? DefinitionKind::program : DefinitionKind::bundle,
        value.at(artifact_kind_name(out.kind)).as_string(),
        base_dir);
    out.registry = value.string_or_empty("registry");
    out.pos = value.pos();
    return out;
}

void merge_limits(const Value& value, SandboxLimits& limits) {
    const auto set = [&](std::string_view key, std::uint64_t& limit) {
        if (const Value* given = value.find(key)) {
            limit = static_cast<std::uint64_t>(given->as_integer());
        }
    };
    if (const Value* given = value.find("time")) {
        const std::chrono::milliseconds time(given->as_integer());
        limits.time =
            std::max(std::chrono::ceil<std::chrono::seconds>(time), std::chrono::seconds(1));
    }
    set("output", limits.output);
    set("memory", limits.memory);
    set("processes", limits.processes);
    set("disk", limits.disk);
    set("files", limits.files);
}

} // namespace

std::string_view artifact_kind_name(ArtifactKind kind) {
    return kind == ArtifactKind::program ? "program" : "bundle";
}

void merge_into(Recipe& recipe, const Value& value, const fs::path& base_dir) {
    recipe.name = value.at("name").as_string();
    value.copy_given("summary", recipe.summary);
    value.copy_given("architecture", recipe.architecture);
    if (const Value* archives = value.find("archives")) {
        recipe.archives = read_archives(*archives, base_dir);
    }
    if (const Value* pins = value.find("pins")) {
        merge_pins(*pins, recipe);
    }
    if (const Value* ids = value.find("ids")) {
        merge_ids(ids->find("users"), recipe.ids.users);
        merge_ids(ids->find("groups"), recipe.ids.groups);
    }
    if (const Value* limits = value.find("limits")) {
        merge_limits(*limits, recipe.limits);
    }
    if (const Value* lint = value.find("lint")) {
        merge_lint(*lint, recipe);
    }
    if (const Value* accept = value.find("accept")) {
        recipe.suite = recipe.project.resolve(DefinitionKind::suite, accept->as_string(), base_dir);
        recipe.suite_pos = accept->pos();
    }
    if (const Value* sources = value.find("sources")) {
        for (const Member& member : sources->members()) {
            recipe.sources.insert_or_assign(
                member.key, read_source(member.key, member.value, base_dir));
        }
    }
    if (const Value* alternatives = value.find("alternatives")) {
        for (const Member& source : alternatives->members()) {
            for (const Member& word : source.value.members()) {
                recipe.alternatives[source.key][word.key] = recipe.project.resolve(
                    DefinitionKind::recipe, word.value.as_string(), base_dir);
            }
        }
    }
    if (const Value* artifacts = value.find("artifacts")) {
        for (const Member& member : artifacts->members()) {
            recipe.artifacts.insert_or_assign(
                member.key, read_artifact(member.key, member.value, base_dir, recipe.project));
        }
    }
}

} // namespace kiln
