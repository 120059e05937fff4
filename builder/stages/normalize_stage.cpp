// SPDX-License-Identifier: MIT
#include "recipe/patterns.hpp"
#include "stages/kinds.hpp"
#include "stages/leftovers.hpp"
#include "stages/tree_writer.hpp"

#include <array>

namespace kiln {

namespace {

constexpr Shape kPaths = list_of(&kAbsolutePath);
constexpr auto kFields = std::to_array<Field>({
    {"remove", &kPaths, Need::optional, "further paths to remove, with all below them", "none"},
    {"empty", &kPaths, Need::optional, "files that keep their name but no content", "none"},
});

class NormalizeStage final : public Stage {
  public:
    explicit NormalizeStage(const StageSpec& spec) : spec_(spec) {}

    void run(StageContext& context, const StageInputs&) const override {
        const TreeWriter writer(context.root);
        clean_leftovers(context.root, context.settings.epoch);
        for (const std::string& path : spec_.options.strings_or_empty("remove")) {
            writer.remove(path);
        }
        for (const std::string& path : spec_.options.strings_or_empty("empty")) {
            if (writer.exists(path)) {
                fs::resize_file(writer.resolve(path), 0);
            }
        }
    }

  private:
    const StageSpec& spec_;
};

} // namespace

constexpr Shape kNormalizeOptions = object_of(kFields);

std::unique_ptr<Stage> make_normalize_stage(const StageSpec& spec) {
    return std::make_unique<NormalizeStage>(spec);
}

} // namespace kiln
