// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "recipe/yaml/patterns.hpp"
#include "stages/clean/cleanup_rules.hpp"
#include "stages/kinds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace kiln {

namespace {

constexpr Pattern kUnitPattern{
    "a unit name",
    R"(^[A-Za-z0-9:_.\\@-]+\.(service|socket|timer|target|path|mount|automount|swap|slice|scope|device)$)",
    "with its type, such as nginx.service"};
/// systemd.unit(5), those of the system manager that a tree can have.
constexpr std::array kUnitFolders{
    "/etc/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system"};
constexpr Shape kUnit = text_like(kUnitPattern);
constexpr Shape kUnits = list_of(&kUnit);
constexpr auto kFields = std::to_array<Field>({
    {"enable", &kUnits, Need::optional, "units to enable", {}, "none"},
    {"disable", &kUnits, Need::optional, "units to disable", {}, "none"},
    {"mask", &kUnits, Need::optional, "units to mask", {}, "none"},
});

/// Uses the tree's own systemctl, which knows aliases, templates and Also= lines.
class ServicesStage final : public Stage {
  public:
    explicit ServicesStage(const StageSpec& spec) : spec_(spec) {}

    void run(StageContext& context, const StageInputs&) const override {
        for (const char* verb : {"disable", "enable", "mask"}) {
            const auto units = spec_.options.strings_or_empty(verb);
            if (units.empty()) {
                continue;
            }
            context.job.note(verb);
            if (std::string_view(verb) == "disable") {
                require_units(context.tree, units);
            }
            Command command{"systemctl", {verb, "--quiet", "--no-reload"}};
            command.args.insert(command.args.end(), units.begin(), units.end());
            command.on_lines = [&](std::string_view lines) { context.console.output(lines); };
            const ProcessResult result = context.sandbox.run(command);
            if (!result.ok()) {
                throw ProcessError(fmt::format("'systemctl {}'", verb), result);
            }
        }
        clean_tree(context);
    }

    [[nodiscard]] bool runs_programs() const override { return true; }

  private:
    /// 'systemctl disable' of a tree says nothing of a unit that is not there.
    static void require_units(const TreeRoot& tree, const std::vector<std::string>& units) {
        for (const std::string& unit : units) {
            if (!has_unit(tree, unit)) {
                throw Error(fmt::format("cannot disable '{}': no such unit in the tree", unit))
                    .with_hint(
                        "remove it, or use 'mask', which does not require the unit to exist");
            }
        }
    }

    /// Also as a template, as an alias and as a script of System V, which systemctl knows too.
    static bool has_unit(const TreeRoot& tree, const std::string& unit) {
        const std::size_t at = unit.find('@');
        const std::size_t dot = unit.rfind('.');
        const std::string script = unit.ends_with(".service") ? unit.substr(0, dot) : "";
        if (!script.empty() && tree.exists("/etc/init.d/" + script)) {
            return true;
        }
        return std::any_of(kUnitFolders.begin(), kUnitFolders.end(), [&](const char* folder) {
            return tree.exists(fmt::format("{}/{}", folder, unit)) ||
                   (at != std::string::npos &&
                    tree.exists(
                        fmt::format("{}/{}{}", folder, unit.substr(0, at + 1), unit.substr(dot))));
        });
    }

    const StageSpec& spec_;
};

} // namespace

constexpr Shape kServicesOptions = object_of(kFields);

std::unique_ptr<Stage> make_services_stage(const StageSpec& spec) {
    return std::make_unique<ServicesStage>(spec);
}

} // namespace kiln
