// SPDX-License-Identifier: MIT
#include "stages/stage.hpp"

#include "base/error.hpp"
#include "stages/kinds.hpp"

#include <algorithm>
#include <array>

namespace kiln {

namespace {

const std::array kKinds{
    StageKind{
        "packages",
        "installs locked Debian packages",
        &kPackagesOptions,
        make_packages_stage,
        StageTakes::packages},
    StageKind{
        "artifact",
        "copies a prebuilt artifact into the tree",
        &kArtifactOptions,
        make_artifact_stage,
        StageTakes::artifact},
    StageKind{
        "source",
        "copies a source (git, directory, tarball)",
        &kSourceOptions,
        make_source_stage,
        StageTakes::source},
    StageKind{
        "overlay",
        "copies a folder over the tree",
        &kOverlayOptions,
        make_overlay_stage,
        StageTakes::nothing},
    StageKind{
        "users", "creates users and groups", &kUsersOptions, make_users_stage, StageTakes::nothing},
    StageKind{
        "files",
        "creates or removes files, directories and links",
        &kFilesOptions,
        make_files_stage,
        StageTakes::nothing},
    StageKind{
        "services",
        "enables, disables and masks units",
        &kServicesOptions,
        make_services_stage,
        StageTakes::nothing},
    StageKind{
        "kernel",
        "creates initramfs and boot loader",
        &kKernelOptions,
        make_kernel_stage,
        StageTakes::identity},
    StageKind{
        "run",
        "runs a script in the tree (the last resort)",
        &kRunOptions,
        make_run_stage,
        StageTakes::nothing},
    StageKind{
        "normalize",
        "removes paths and truncates files",
        &kNormalizeOptions,
        make_normalize_stage,
        StageTakes::nothing},
};

} // namespace

std::span<const StageKind> stage_kinds() {
    return kKinds;
}

std::span<const StageShape> stage_shapes() {
    static const auto kShapes = [] {
        std::vector<StageShape> out;
        for (const StageKind& kind : kKinds) {
            out.push_back({kind.kind, kind.summary, kind.options, kind.takes});
        }
        return out;
    }();
    return kShapes;
}

std::unique_ptr<Stage> make_stage(const StageSpec& spec) {
    const auto kind = std::find_if(
        kKinds.begin(), kKinds.end(), [&](const StageKind& k) { return k.kind == spec.kind; });
    KILN_CHECK(kind != kKinds.end());
    return kind->make(spec);
}

} // namespace kiln
