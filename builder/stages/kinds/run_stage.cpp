// SPDX-License-Identifier: MIT
#include "recipe/yaml/patterns.hpp"
#include "stages/clean/cleanup_rules.hpp"
#include "stages/host_name.hpp"
#include "stages/kinds.hpp"
#include "stages/script_hint.hpp"

#include <fmt/format.h>

#include <array>

namespace kiln {

namespace {

constexpr Shape kEnvironment = map_of(kEnvironmentNamePattern, &kTextOrEmpty);
constexpr auto kFields = std::to_array<Field>({
    {"script",
     &kText,
     Need::required,
     "shell commands; the bake stops at the first one that fails"},
    {"why", &kText, Need::required, "why no other kind of stage can do this"},
    {"environment",
     &kEnvironment,
     Need::optional,
     "environment variables of the script",
     {},
     "none"},
});

class RunStage final : public Stage {
  public:
    explicit RunStage(const StageSpec& spec) : spec_(spec) {}

    void run(StageContext& context, const StageInputs&) const override {
        Command command{"/bin/sh", {"-euc", spec_.options.at("script").as_string()}};
        if (const Value* environment = spec_.options.find("environment")) {
            for (const Member& variable : environment->members()) {
                command.env[variable.key] = variable.value.as_string();
            }
        }
        command.on_lines = [&](std::string_view lines) {
            context.console.output(lines);
            context.job.note(last_lines(lines, 1).front());
        };
        {
            const ResolvableHostName host_name(context);
            const ProcessResult result = context.sandbox.run(command);
            if (!result.ok()) {
                ProcessError error(fmt::format("the script of stage '{}'", spec_.name), result);
                error.set_hint_if_empty(hint_of_failed_script(result));
                throw error;
            }
        }
        clean_tree(context);
    }

    [[nodiscard]] bool runs_programs() const override { return true; }

  private:
    const StageSpec& spec_;
};

} // namespace

constexpr Shape kRunOptions = object_of(kFields);

std::unique_ptr<Stage> make_run_stage(const StageSpec& spec) {
    return std::make_unique<RunStage>(spec);
}

} // namespace kiln
