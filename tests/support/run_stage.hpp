// SPDX-License-Identifier: MIT
//
// Runs a stage as a recipe says it, on a tree without programs: header only, since it needs the
// layer of stages, which the rest of the tests' support does not.
#pragma once

#include "stages/stage.hpp"
#include "support/no_inputs.hpp"
#include "support/stage_fixture.hpp"

#include <gtest/gtest.h>

#include <string>

namespace kiln::test {

/// The options of a stage, in YAML, as a recipe's reader hands them over.
inline Value stage_options(const Shape& shape, std::string yaml) {
    Diagnostics diags;
    const auto node = parse_yaml(
        std::make_shared<const SourceFile>(SourceFile{"options.yaml", std::move(yaml)}), diags);
    Value options = node ? validate(*node, shape, diags) : Value();
    EXPECT_EQ(diags.render_all(), "");
    return options;
}

/// `stage`: one stage in YAML's flow style, such as "{stage: services, mask: [a.timer]}".
inline void run_stage(StageFixture& fixture, const std::string& stage) {
    const fs::path path = fixture.dir.path() / "recipe.yaml";
    write_file_atomically(path, "kiln: 1\nname: toy\nstages:\n  - " + stage + "\n");
    Diagnostics diags;
    const auto recipe = load_recipe(path, {{}, stage_shapes()}, diags);
    ASSERT_EQ(diags.render_all(), "");
    ASSERT_TRUE(recipe);
    make_stage(recipe->stages.at(0))->run(fixture.context, NoInputs());
}

} // namespace kiln::test
