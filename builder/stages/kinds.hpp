// SPDX-License-Identifier: MIT
//
// The rows of the table of stages: shapes and makers, each defined in the kind's own file.
#pragma once

#include "stages/stage.hpp"

namespace kiln {

extern const Shape kPackagesOptions;
extern const Shape kArtifactOptions;
extern const Shape kSourceOptions;
extern const Shape kOverlayOptions;
extern const Shape kUsersOptions;
extern const Shape kFilesOptions;
extern const Shape kServicesOptions;
extern const Shape kKernelOptions;
extern const Shape kRunOptions;
extern const Shape kNormalizeOptions;

std::unique_ptr<Stage> make_packages_stage(const StageSpec& spec);
std::unique_ptr<Stage> make_artifact_stage(const StageSpec& spec);
std::unique_ptr<Stage> make_source_stage(const StageSpec& spec);
std::unique_ptr<Stage> make_overlay_stage(const StageSpec& spec);
std::unique_ptr<Stage> make_users_stage(const StageSpec& spec);
std::unique_ptr<Stage> make_files_stage(const StageSpec& spec);
std::unique_ptr<Stage> make_services_stage(const StageSpec& spec);
std::unique_ptr<Stage> make_kernel_stage(const StageSpec& spec);
std::unique_ptr<Stage> make_run_stage(const StageSpec& spec);
std::unique_ptr<Stage> make_normalize_stage(const StageSpec& spec);

} // namespace kiln
