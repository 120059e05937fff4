// SPDX-License-Identifier: MIT
#include "artifact/lookup/artifact_definition.hpp"

#include "artifact/perl/bundle_build.hpp"
#include "artifact/perl/bundle_lock.hpp"
#include "artifact/program/program_build.hpp"
#include "base/error.hpp"
#include "recipe/yaml/yaml.hpp"
#include "resolve/make_lock.hpp"
#include "resolve/recipe_lock.hpp"
#include "resolve/request_of.hpp"

#include <fmt/format.h>

namespace kiln {

namespace {

class BundleDefinition final : public ArtifactDefinition {
  public:
    explicit BundleDefinition(PerlBundle bundle) : bundle_(std::move(bundle)) {}

    [[nodiscard]] const std::string& name() const override { return bundle_.name; }

    [[nodiscard]] ArtifactKind kind() const override { return ArtifactKind::bundle; }

    [[nodiscard]] Lockfile lock(const InputContext& in) const override {
        return lock_bundle(bundle_, in, kKeyringFolder);
    }

    [[nodiscard]] std::vector<RequestPart> request() const override { return request_of(bundle_); }

    [[nodiscard]] Digest key(const Lockfile& lock, const Pool& pool) const override {
        return bundle_key(bundle_, lock, pool);
    }

    [[nodiscard]] ArtifactInfo
    build(const Lockfile& lock, const InputContext& in, const Store& store, unsigned jobs)
        const override {
        return build_bundle(bundle_, lock, in, store, jobs);
    }

  private:
    PerlBundle bundle_;
};

class ProgramDefinition final : public ArtifactDefinition {
  public:
    explicit ProgramDefinition(ProgramSpec program) : program_(std::move(program)) {}

    [[nodiscard]] const std::string& name() const override { return program_.name; }

    [[nodiscard]] ArtifactKind kind() const override { return ArtifactKind::program; }

    [[nodiscard]] Lockfile lock(const InputContext& in) const override {
        return lock_program(program_, in, kKeyringFolder);
    }

    [[nodiscard]] std::vector<RequestPart> request() const override { return request_of(program_); }

    [[nodiscard]] Digest key(const Lockfile& lock, const Pool& pool) const override {
        return program_key(program_, lock, pool);
    }

    [[nodiscard]] ArtifactInfo
    build(const Lockfile& lock, const InputContext& in, const Store& store, unsigned jobs)
        const override {
        return build_program(program_, lock, in, store, jobs);
    }

  private:
    ProgramSpec program_;
};

template <typename Definition, typename Spec>
std::unique_ptr<ArtifactDefinition> define(std::optional<Spec> spec) {
    return spec ? std::make_unique<Definition>(std::move(*spec)) : nullptr;
}

} // namespace

std::string ArtifactDefinition::describe() const {
    return fmt::format("{} '{}'", artifact_kind_name(kind()), name());
}

std::string ArtifactDefinition::word(const fs::path& file) const {
    const bool is_program = kind() == ArtifactKind::program;
    return Project().word_of(is_program ? DefinitionKind::program : DefinitionKind::bundle, file);
}

Lockfile ArtifactDefinition::load_lock(const fs::path& file) const {
    const fs::path path = lock_path(file);
    const std::string renew = fmt::format("'kiln artifact lock {}'", word(file));
    if (!fs::exists(path)) {
        throw Error(fmt::format("lock '{}' not found", path.string()), ExitCode::invalid_recipe)
            .with_hint(fmt::format("run {} to create it", renew));
    }
    Lockfile lock = load_lockfile(path.string());
    require_same_request(lock, request(), path.string(), describe(), renew);
    return lock;
}

LockedResult ArtifactDefinition::locked_result(
    const fs::path& file, const Lockfile& lock, const Digest& key) const {
    if (lock.result && lock.result->key == key) {
        return *lock.result;
    }
    throw Error(
        fmt::format(
            "lock '{}' has no tree digest for {}, so it cannot be pulled from a registry",
            lock_path(file).string(),
            describe()),
        ExitCode::invalid_recipe)
        .with_details({fmt::format("key: {}", key.to_string())})
        .with_hint(fmt::format(
            "run 'kiln artifact build {}' to build it and record the digest", word(file)));
}

void ArtifactDefinition::note_result(
    const fs::path& file, Lockfile lock, const ArtifactInfo& info, Console& console) const {
    const LockedResult now{info.key, info.tree};
    if (lock.result == now) {
        return;
    }
    const fs::path path = lock_path(file);
    if (lock.result && lock.result->key == now.key) {
        console.warning(fmt::format(
            "{} is not reproducible: this build produced tree {}, but lock '{}' has {}",
            describe(),
            now.tree.to_string(),
            path.string(),
            lock.result->tree.to_string()));
    }
    lock.result = now;
    write_file_atomically(path, lock.to_text());
}

std::unique_ptr<ArtifactDefinition>
load_artifact_definition(const fs::path& path, ArtifactKind kind, Diagnostics& diags) {
    return kind == ArtifactKind::program ? define<ProgramDefinition>(load_program(path, diags))
                                         : define<BundleDefinition>(load_bundle(path, diags));
}

ArtifactKind kind_of_definition(const fs::path& path) {
    Diagnostics ignored; // whoever reads it as what it is reports its faults
    const std::optional<YamlNode> tree = load_yaml(path, ignored);
    const bool is_program = tree && tree->kind == YamlNode::Kind::map &&
                            tree->find(artifact_kind_name(ArtifactKind::program)) != nullptr;
    return is_program ? ArtifactKind::program : ArtifactKind::bundle;
}

} // namespace kiln
