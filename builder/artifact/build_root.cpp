// SPDX-License-Identifier: MIT
#include "artifact/build_root.hpp"

#include "base/error.hpp"
#include "base/io/paths.hpp"
#include "build/executor.hpp"
#include "resolve/make_lock.hpp"
#include "stages/kinds.hpp"

#include <fmt/format.h>

namespace kiln {

namespace {

Recipe recipe_of(const std::string& name, const BuildRootSpec& spec) {
    Recipe recipe;
    recipe.name = name;
    recipe.architecture = spec.architecture;
    recipe.archives = spec.archives;
    std::vector<Value> install;
    for (const std::string& package : spec.packages) {
        install.push_back(Value::of_string(package, {}));
    }
    StageSpec stage;
    stage.kind = "packages";
    stage.takes = StageTakes::packages;
    stage.name = kBuildRootStage;
    stage.options = Value::of_map(
        {Member{"install", {}, Value::of_list(std::move(install), {})}},
        {},
        defaults_of(kPackagesOptions));
    recipe.stages.push_back(std::move(stage));
    return recipe;
}

} // namespace

BuildRoot::BuildRoot(
    const std::string& name,
    const BuildRootSpec& spec,
    const Lockfile& lock,
    const Pool& pool,
    std::string refresh)
    : recipe_(recipe_of(name, spec)) {
    inputs_ = std::make_unique<LockedInputs>(recipe_, lock, pool);
    inputs_->set_refresh(std::move(refresh));
    Diagnostics diags;
    plan_ = make_plan(recipe_, *inputs_, bake_settings(recipe_, lock.epoch), diags);
    diags.throw_if_errors(fmt::format("the build root of '{}'", name));
}

std::vector<Digest> BuildRoot::keys() const {
    std::vector<Digest> out;
    for (const PlannedStage& stage : plan_.stages) {
        out.push_back(stage.key);
    }
    return out;
}

void BuildRoot::make(const InputContext& in, const Store& store, unsigned jobs) const {
    std::vector<const StageSpec*> needed;
    for (const PlannedStage& stage : plan_.stages) {
        if (!store.contains(stage.key)) {
            needed.push_back(stage.spec);
        }
    }
    inputs_->fetch(needed, in);
    Executor executor(
        store,
        *inputs_,
        in.console,
        {.recipe_name = recipe_.name, .jobs = jobs, .make_sandbox = in.make_sandbox});
    static_cast<void>(executor.run(plan_.chain(Branch::common), plan_.settings, {}));
}

SolveRequest build_root_request(
    const std::string& name,
    const BuildRootSpec& spec,
    const InputContext& in,
    const fs::path& keyring_dir) {
    SolveRequest request;
    request.recipe = name;
    request.architecture = spec.architecture;
    request.cache = cache_root() / "apt";
    set_proxies(request, in);
    request.archives =
        solve_archives(spec.archives, in, keyring_dir / "debian-archive-keyring.gpg");
    request.stages.push_back(
        {.branch = std::string(branch_name(Branch::common)),
         .name = kBuildRootStage,
         .install = spec.packages,
         .recommends = false,
         .where = ""});
    return request;
}

} // namespace kiln
