// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "recipe/patterns.hpp"
#include "stages/kinds.hpp"
#include "stages/leftovers.hpp"

#include <fmt/format.h>

#include <array>

namespace kiln {

namespace {

constexpr Pattern kUnitPattern{
    "a unit name",
    R"(^[A-Za-z0-9:_.\\@-]+\.(service|socket|timer|target|path|mount|automount|slice)$)",
    "with its type, such as nginx.service"};
constexpr Shape kUnit = text_like(kUnitPattern);
constexpr Shape kUnits = list_of(&kUnit);
constexpr auto kFields = std::to_array<Field>({
    {"enable", &kUnits, Need::optional, "units that start at boot", "none"},
    {"disable", &kUnits, Need::optional, "units that do not", "none"},
    {"mask", &kUnits, Need::optional, "units that nothing can start", "none"},
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
            Command command{"systemctl", {verb, "--quiet", "--no-reload"}};
            command.args.insert(command.args.end(), units.begin(), units.end());
            command.on_line = [&](std::string_view line) { context.console.debug(line); };
            const ProcessResult result = context.sandbox.run(command);
            if (!result.ok()) {
                throw ProcessError(fmt::format("'systemctl {}'", verb), result);
            }
        }
        clean_leftovers(context);
    }

    [[nodiscard]] bool runs_programs() const override { return true; }

  private:
    const StageSpec& spec_;
};

} // namespace

constexpr Shape kServicesOptions = object_of(kFields);

std::unique_ptr<Stage> make_services_stage(const StageSpec& spec) {
    return std::make_unique<ServicesStage>(spec);
}

} // namespace kiln
