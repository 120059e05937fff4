// SPDX-License-Identifier: MIT
//
// A few kinds of stages for tests compression of the layers that know none.
#pragma once

#include "recipe/recipe.hpp"
#include "recipe/yaml/patterns.hpp"

#include <array>
#include <span>

namespace kiln::test {

inline constexpr Shape kStandInPackages = list_of(&kPackageName, false);
inline constexpr auto kStandInPackagesFields = std::to_array<Field>({
    {"packages", &kStandInPackages, Need::required, "packages to install"},
    {"recommends", &kBoolean, Need::optional, "recommended packages too", "false"},
});
inline constexpr Shape kStandInPackagesOptions = object_of(kStandInPackagesFields);

inline constexpr auto kStandInOverlayFields = std::to_array<Field>({
    {"from", &kPath, Need::required, "directory to copy"},
    {"to", &kAbsolutePath, Need::optional, "where to", "/"},
    {"mode", &kFileMode, Need::optional, "mode of all files", {}, "as they are"},
});
inline constexpr Shape kStandInOverlayOptions = object_of(kStandInOverlayFields);

inline constexpr Shape kStandInTries = integer_between(1, 9);
inline constexpr auto kStandInRunFields = std::to_array<Field>({
    {"script", &kText, Need::required, "shell text to run"},
    {"timeout", &kDuration, Need::optional, "longest time", "10m"},
    {"memory", &kSize, Need::optional, "most memory", "1GiB"},
    {"tries", &kStandInTries, Need::optional, "times to try", "1"},
});
inline constexpr Shape kStandInRunOptions = object_of(kStandInRunFields);

inline constexpr std::array<StageShape, 3> kStandInStages{{
    {"packages", "installs packages", &kStandInPackagesOptions, StageTakes::packages},
    {"overlay", "copies a directory over the tree", &kStandInOverlayOptions, StageTakes::nothing},
    {"run", "runs a script in the tree", &kStandInRunOptions, StageTakes::nothing},
}};

} // namespace kiln::test
