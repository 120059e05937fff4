// SPDX-License-Identifier: MIT
#include "base/interrupt.hpp"
#include "base/parallel.hpp"
#include "recipe/yaml/patterns.hpp"
#include "stages/clean/cleanup_rules.hpp"
#include "stages/kinds.hpp"
#include "stages/packages/auto_installed.hpp"
#include "stages/packages/deb_staging.hpp"
#include "stages/packages/installer.hpp"

#include <array>

namespace kiln {

namespace {

constexpr Shape kPackageList = list_of(&kPackageWish, false);
constexpr auto kFields = std::to_array<Field>({
    {"install",
     &kPackageList,
     Need::required,
     "packages to install, also as NAME=VERSION or NAME/SUITE; dependencies are pulled in "
     "automatically"},
    {"recommends", &kBoolean, Need::optional, "also install recommended packages", "false"},
});

class PackagesStage final : public Stage {
  public:
    explicit PackagesStage(const StageSpec& spec) : spec_(spec) {}

    void hash_inputs(FieldHasher& hasher, const StageInputs& inputs) const override {
        for (const LockedDeb& deb : inputs.packages(spec_)) {
            hasher.field(deb.name, deb.sha256)
                .field("version", std::string_view(deb.version))
                .field("architecture", std::string_view(deb.architecture));
        }
    }

    [[nodiscard]] std::unique_ptr<StagedData> prepare(
        const StageInputs& inputs,
        const TreeRoot& folder,
        const std::stop_token& stop) const override {
        auto staged = std::make_unique<StagedPackages>();
        for (const LockedDeb& deb : inputs.packages(spec_)) {
            if (stop.stop_requested()) {
                break;
            }
            throw_if_interrupted();
            const PackageFile package = read_locked_package(deb);
            staged->packages[package.info_name()] = stage_package(package, folder, "");
        }
        return staged;
    }

    void run(StageContext& context, const StageInputs& inputs) const override {
        const auto debs = inputs.packages(spec_);
        std::vector<PackageFile> packages(debs.size());
        parallel_for(debs.size(), context.jobs, [&](std::size_t i) {
            packages[i] = read_locked_package(debs[i]);
        });
        install_packages(packages, context);
        mark_auto_installed(
            context.tree,
            packages,
            spec_.options.strings_or_empty("install"),
            context.settings.architecture);
        clean_tree(context);
    }

    [[nodiscard]] bool runs_programs() const override { return true; }

  private:
    const StageSpec& spec_;
};

} // namespace

constexpr Shape kPackagesOptions = object_of(kFields);

std::unique_ptr<Stage> make_packages_stage(const StageSpec& spec) {
    return std::make_unique<PackagesStage>(spec);
}

} // namespace kiln
