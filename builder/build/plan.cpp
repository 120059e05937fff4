// SPDX-License-Identifier: MIT
#include "build/plan.hpp"

#include "base/output_version.hpp"

#include <array>
#include <utility>
#include <vector>

namespace kiln {

namespace {

void hash_settings(FieldHasher& hasher, const BakeSettings& settings) {
    hasher.field("output-version", kOutputVersion)
        .field("architecture", std::string_view(settings.architecture))
        .field("epoch", static_cast<std::uint64_t>(settings.epoch));
    for (const auto& [name, uid] : settings.ids.users) {
        hasher.field("user", std::string_view(name)).field("uid", uid);
    }
    for (const auto& [name, gid] : settings.ids.groups) {
        hasher.field("group", std::string_view(name)).field("gid", gid);
    }
}

Digest key_of(
    const PlannedStage& planned,
    const Digest& below,
    const BakeSettings& settings,
    const StageInputs& inputs) {
    FieldHasher hasher("kiln.stage-key.v1");
    hash_settings(hasher, settings);
    hasher.field("kind", std::string_view(planned.spec->kind))
        .field("options", std::string_view(planned.spec->options.canonical()))
        .field("below", below);
    if (planned.spec->takes == StageTakes::identity) {
        hasher.field("identity", settings.identity);
    }
    planned.stage->hash_inputs(hasher, inputs);
    return hasher.finish();
}

/// The lists of stages that each branch runs.
struct BranchSpecs {
    Branch branch;
    std::vector<const std::vector<StageSpec>*> lists;
};

std::array<BranchSpecs, 3> branch_specs(const Recipe& recipe) {
    return {
        BranchSpecs{Branch::common, {&recipe.stages}},
        BranchSpecs{Branch::vm, {&recipe.vm_stages, &recipe.final_stages}},
        BranchSpecs{Branch::oci, {&recipe.oci_stages, &recipe.final_stages}}};
}

} // namespace

Chain Plan::chain(Branch branch) const {
    Chain out;
    out.branch = branch;
    for (const PlannedStage& planned : stages) {
        if (planned.branch == Branch::common || planned.branch == branch) {
            out.stages.push_back(&planned);
        }
    }
    return out;
}

void check_stages(const Recipe& recipe, Diagnostics& diags) {
    for (const auto* list :
         {&recipe.stages, &recipe.vm_stages, &recipe.oci_stages, &recipe.final_stages}) {
        for (const StageSpec& spec : *list) {
            make_stage(spec)->check(diags);
        }
    }
    for (const StageSpec& spec : recipe.final_stages) {
        if (spec.takes == StageTakes::packages) {
            diags.error(
                spec.pos,
                "a packages stage cannot be among the final stages",
                "move it to 'stages', 'vm' or 'oci'");
        }
    }
}

BakeSettings bake_settings(const Recipe& recipe, std::int64_t epoch) {
    BakeSettings settings;
    settings.epoch = epoch;
    settings.architecture = recipe.architecture;
    settings.ids = recipe.ids;
    // REPRO: two recipes, or one recipe at two times, never share the identifiers of their disks.
    settings.identity = FieldHasher("kiln.image-identity.v1")
                            .field("recipe", std::string_view(recipe.name))
                            .field("epoch", static_cast<std::uint64_t>(epoch))
                            .finish();
    return settings;
}

Plan make_plan(
    const Recipe& recipe, const StageInputs& inputs, BakeSettings settings, Diagnostics& diags) {
    check_stages(recipe, diags);
    Plan plan;
    plan.settings = std::move(settings);
    if (diags.has_errors()) {
        return plan;
    }
    Digest common;
    for (const auto& [branch, lists] : branch_specs(recipe)) {
        Digest below = common;
        for (const auto* specs : lists) {
            for (const StageSpec& spec : *specs) {
                PlannedStage planned{&spec, make_stage(spec), branch, {}};
                planned.key = key_of(planned, below, plan.settings, inputs);
                below = planned.key;
                plan.stages.push_back(std::move(planned));
            }
        }
        if (branch == Branch::common) {
            common = below;
        }
    }
    return plan;
}

} // namespace kiln
