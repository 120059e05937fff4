// SPDX-License-Identifier: MIT
#include "recipe/yaml/patterns.hpp"
#include "stages/copy/tree_glob.hpp"
#include "stages/kinds.hpp"

#include <array>

namespace kiln {

namespace {

constexpr Shape kPaths = list_of(&kAbsolutePath);
constexpr auto kFields = std::to_array<Field>({
    {"remove",
     &kPaths,
     Need::optional,
     "paths to remove recursively; `*`, `?` and `[...]` as in a shell",
     {},
     "none"},
    {"empty", &kPaths, Need::optional, "files to truncate; same wildcards", {}, "none"},
});

class NormalizeStage final : public Stage {
  public:
    explicit NormalizeStage(const StageSpec& spec) : spec_(spec) {}

    void run(StageContext& context, const StageInputs&) const override {
        for (const std::string& path : spec_.options.strings_or_empty("remove")) {
            for (const std::string& found : named_paths(context, path)) {
                context.tree.remove(found);
            }
        }
        for (const std::string& path : spec_.options.strings_or_empty("empty")) {
            for (const std::string& found : named_paths(context, path)) {
                context.tree.empty_file(found);
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
