// SPDX-License-Identifier: MIT
#include "recipe/artifacts/build_root.hpp"

#include "recipe/merge.hpp"
#include "recipe/recipe_shape.hpp"

namespace kiln {

namespace {

constexpr Shape kPackages = list_of(&kPackageWish, false);
constexpr auto kBuildFields = std::to_array<Field>({
    {"install",
     &kPackages,
     Need::required,
     "packages to install in addition to the Essential ones"},
});
constexpr Shape kBuild = object_of(kBuildFields, "build");

} // namespace

const Shape& build_shape() {
    return kBuild;
}

void merge_build_root(BuildRootSpec& root, const Value& value, const fs::path& base_dir) {
    value.copy_given("architecture", root.architecture);
    if (const Value* archives = value.find("archives")) {
        root.archives = read_archives(*archives, base_dir);
    }
    if (const Value* build = value.find("build")) {
        root.packages = build->at("install").as_strings();
    }
}

} // namespace kiln
