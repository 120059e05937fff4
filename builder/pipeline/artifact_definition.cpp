// SPDX-License-Identifier: MIT
#include "pipeline/artifact_definition.hpp"

#include "base/error.hpp"
#include "pipeline/bundle_build.hpp"
#include "pipeline/bundle_lock.hpp"
#include "pipeline/make_lock.hpp"
#include "pipeline/program_build.hpp"
#include "pipeline/recipe_lock.hpp"
#include "pipeline/request_of.hpp"
#include "recipe/yaml.hpp"

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

Lockfile ArtifactDefinition::load_lock(const fs::path& file) const {
    const fs::path path = lock_path(file);
    const char* folder = kind() == ArtifactKind::program ? "recipes/programs" : "perl-bundle";
    const std::string renew = fmt::format("'kiln artifact lock {}'", definition_word(file, folder));
    if (!fs::exists(path)) {
        throw Error(fmt::format("there is no lock '{}'", path.string()), ExitCode::invalid_recipe)
            .with_hint(fmt::format("{} makes it", renew));
    }
    Lockfile lock = load_lockfile(path.string());
    require_same_request(lock, request(), path.string(), describe(), renew);
    return lock;
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
