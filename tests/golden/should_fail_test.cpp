// SPDX-License-Identifier: MIT
//
// Every should-fail/CASE.yaml is a recipe with faults, and every should-fail/suites/CASE.yaml a
// suite; CASE.stderr is all that is said about it.
#include "recipe/recipe.hpp"
#include "run/suite.hpp"
#include "support/golden.hpp"
#include "support/stub_stages.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace kiln {
namespace {

const fs::path kDirectory = fs::path(KILN_SOURCE_DIR) / "tests/golden/should-fail";

std::vector<std::string> cases(const fs::path& directory) {
    std::vector<std::string> out;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
        if (entry.path().extension() == ".yaml") {
            out.push_back(entry.path().stem().string());
        }
    }
    std::sort(out.begin(), out.end());
    return out;
}

class SuiteShouldFail : public testing::TestWithParam<std::string> {};

TEST_P(SuiteShouldFail, WithTheExpectedText) {
    fs::current_path(kDirectory / "suites");
    Diagnostics diags;
    EXPECT_FALSE(load_suite(GetParam() + ".yaml", {}, diags));
    EXPECT_TRUE(diags.has_errors());
    test::expect_golden(GetParam() + ".stderr", diags.render_all());
}

class ShouldFail : public testing::TestWithParam<std::string> {};

TEST_P(ShouldFail, WithTheExpectedText) {
    fs::current_path(kDirectory); // names in messages are as they were given
    Diagnostics diags;
    const auto recipe = load_recipe(GetParam() + ".yaml", {{}, test::kStandInStages}, diags);
    EXPECT_FALSE(recipe.has_value());
    EXPECT_TRUE(diags.has_errors());
    test::expect_golden(GetParam() + ".stderr", diags.render_all());
}

std::string test_name(const testing::TestParamInfo<std::string>& of) {
    std::string name = of.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

INSTANTIATE_TEST_SUITE_P(Recipes, ShouldFail, testing::ValuesIn(cases(kDirectory)), test_name);
INSTANTIATE_TEST_SUITE_P(
    Suites, SuiteShouldFail, testing::ValuesIn(cases(kDirectory / "suites")), test_name);

} // namespace
} // namespace kiln
