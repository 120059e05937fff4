// SPDX-License-Identifier: MIT
//
// Any bytes as a recipe, a part and an image definition: no crash, every fault at a place that the
// text has, and what is accepted reads back from its canonical form.
#include "base/error.hpp"
#include "base/text.hpp"
#include "recipe/recipe.hpp"
#include "recipe/recipe_shape.hpp"
#include "support/stub_stages.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>

namespace kiln {
namespace {

void check_places(const Diagnostics& diags, const std::string& text) {
    const auto lines = std::count(text.begin(), text.end(), '\n') + 1;
    for (const Diagnostic& fault : diags.all()) {
        KILN_CHECK(fault.pos.line >= 0 && fault.pos.line <= lines);
        KILN_CHECK(fault.pos.line == 0 || fault.pos.column >= 1);
        KILN_CHECK(fault.pos.length >= 1 && !fault.message.empty());
    }
    const std::string said = diags.render_all();
    KILN_CHECK(printable_lines(said) == said);
    KILN_CHECK(diags.all().size() <= 2 * Diagnostics::kMaxKept);
}

void check_shape(const YamlNode& tree, const Shape& shape) {
    Diagnostics diags;
    const Value value = validate(tree, shape, diags);
    check_places(diags, tree.pos.file->text);
    if (!diags.has_errors()) {
        KILN_CHECK(value.kind() == Value::Kind::map);
        KILN_CHECK(nlohmann::json::parse(value.canonical()) == value.to_json());
    }
}

void check_one(const std::string& text) {
    Diagnostics diags;
    const auto file = std::make_shared<const SourceFile>(SourceFile{"input.yaml", text});
    auto tree = parse_yaml(file, diags);
    check_places(diags, text);
    if (!tree) {
        KILN_CHECK(diags.has_errors());
        return;
    }
    Diagnostics faults;
    substitute(*tree, {{"release", "bookworm"}, {"empty", ""}}, faults);
    check_places(faults, text);
    if (diags.has_errors() || faults.has_errors()) {
        return; // what was refused is left out of the checks that follow
    }
    check_shape(*tree, recipe_shape());
    check_shape(*tree, part_shape());
    for (const StageShape& stage : test::kStandInStages) {
        const StageItemShape item(stage);
        check_shape(*tree, item.shape());
    }
    Diagnostics image_faults;
    const auto image = read_image(*tree, "input.yaml", image_faults);
    check_places(image_faults, text);
    KILN_CHECK(image.has_value() != image_faults.has_errors());
}

} // namespace
} // namespace kiln

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    kiln::check_one(std::string(data, data + size));
    return 0;
}
