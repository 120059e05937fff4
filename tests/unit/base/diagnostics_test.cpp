// SPDX-License-Identifier: MIT
#include "base/diagnostics.hpp"
#include "base/error.hpp"

#include <gtest/gtest.h>

namespace kiln {
namespace {

SourcePos at(int line, int column, int length) {
    static const auto file = std::make_shared<SourceFile>(
        SourceFile{"web.yaml", "name: web\nstages:\n    pakages: [nginx]\n"});
    return {file, line, column, length};
}

TEST(Diagnostics, RendersPositionSourceLineCaretAndHint) {
    Diagnostics diags;
    diags.error(at(3, 5, 7), "unknown key 'pakages'", "did you mean 'packages'?");
    EXPECT_EQ(
        diags.render_all(),
        "web.yaml:3:5: error: unknown key 'pakages'\n"
        "  3 |     pakages: [nginx]\n"
        "    |     ^~~~~~~\n"
        "hint: did you mean 'packages'?\n");
}

TEST(Diagnostics, SortsByPlaceAndCutsTheCaretAtTheLineEnd) {
    Diagnostics diags;
    diags.error(at(3, 5, 70), "later");
    diags.error(at(1, 1, 4), "earlier");
    const std::string text = diags.render_all();
    EXPECT_LT(text.find("earlier"), text.find("later"));
    EXPECT_NE(text.find("^~~~~~~~~~~~~~~~\n"), std::string::npos);
}

TEST(Diagnostics, ThrowsWithExitCode3) {
    Diagnostics diags;
    diags.throw_if_errors("recipe"); // nothing yet
    diags.error(at(0, 0, 0), "empty");
    try {
        diags.throw_if_errors("recipe 'web.yaml'");
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), ExitCode::invalid_recipe);
        EXPECT_EQ(error.message(), "recipe 'web.yaml' has 1 fault");
        ASSERT_FALSE(error.details().empty());
        EXPECT_EQ(error.details()[0], "web.yaml: error: empty");
    }
}

} // namespace
} // namespace kiln
