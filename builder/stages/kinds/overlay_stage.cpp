// SPDX-License-Identifier: MIT
#include "recipe/yaml/patterns.hpp"
#include "stages/copy/folder_copy.hpp"
#include "stages/copy/ownership.hpp"
#include "stages/kinds.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <array>

namespace kiln {

namespace {

constexpr Shape kGlob = text_like(kPathPattern);
constexpr auto kPermissionFields = std::to_array<Field>({
    {"path", &kGlob, Need::required, "path below the folder; '*' matches any characters"},
    kOwnerField,
    kGroupField,
    mode_field({}, "0755 for directories and executable files, 0644 for others"),
});
constexpr Shape kPermission = object_of(kPermissionFields, "permissions");
constexpr Shape kPermissions = list_of(&kPermission);
constexpr auto kFields = std::to_array<Field>({
    {"from", &kPath, Need::required, "the folder, relative to the recipe"},
    {"to", &kAbsolutePath, Need::optional, "destination directory", "/"},
    kOwnerField,
    kGroupField,
    {"permissions",
     &kPermissions,
     Need::optional,
     "owners and modes of single paths; the last match wins"},
});

/// Why a path is not a folder; one may be too long, lead in a circle or be out of reach.
std::string fault_of(const fs::file_status& status, const std::error_code& error) {
    if (fs::exists(status)) {
        return "is not a directory";
    }
    return status.type() == fs::file_type::not_found ? "does not exist"
                                                     : "cannot be read: " + error.message();
}

class OverlayStage final : public Stage {
  public:
    explicit OverlayStage(const StageSpec& spec)
        : spec_(spec), folder_(spec.base_dir / spec.options.at("from").as_string()) {}

    void check(Diagnostics& diags) const override {
        std::error_code error;
        const fs::file_status status = fs::status(folder_, error);
        if (status.type() != fs::file_type::directory) {
            diags.error(
                spec_.options.at("from").pos(),
                fmt::format("overlay folder '{}' {}", folder_.string(), fault_of(status, error)));
            return;
        }
        try {
            check_host_folder(folder_);
        } catch (const Error& fault) {
            diags.error(spec_.options.at("from").pos(), fault.message(), fault.hint());
        }
    }

    void hash_inputs(FieldHasher& hasher, const StageInputs& inputs) const override {
        hasher.field("overlay", inputs.host().folder(folder_).digest);
    }

    void run(StageContext& context, const StageInputs& inputs) const override {
        const AccountFiles accounts(context.tree, context.settings.epoch);
        copy_folder(
            inputs.host().folder(folder_),
            spec_.options.at("to").as_string(),
            context.tree,
            [&](const std::string& path, std::uint32_t mode) {
                return ownership(path, mode, accounts);
            },
            false);
    }

  private:
    [[nodiscard]] Ownership
    ownership(const std::string& path, std::uint32_t mode, const AccountFiles& accounts) const {
        Ownership out = ownership_of(spec_.options, accounts, mode);
        if (const Value* permissions = spec_.options.find("permissions")) {
            for (const Value& rule : permissions->as_list()) {
                std::string pattern = rule.at("path").as_string();
                pattern.erase(0, pattern.find_first_not_of('/'));
                if (::fnmatch(pattern.c_str(), path.c_str(), 0) == 0) {
                    const Value* given = rule.find("mode");
                    out =
                        ownership_of(rule, accounts, given == nullptr ? mode : given->as_integer());
                }
            }
        }
        return out;
    }

    const StageSpec& spec_;
    fs::path folder_;
};

} // namespace

constexpr Shape kOverlayOptions = object_of(kFields);

std::unique_ptr<Stage> make_overlay_stage(const StageSpec& spec) {
    return std::make_unique<OverlayStage>(spec);
}

} // namespace kiln
