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
        EXPECT_EQ(error.message(), "recipe 'web.yaml' has 1 error");
        ASSERT_FALSE(error.details().empty());
        EXPECT_EQ(error.details()[0], "web.yaml: error: empty");
    }
}

TEST(Diagnostics, KeepsTheFirstHundredAndCountsTheRest) {
    Diagnostics diags;
    for (int i = 0; i < 50'000; ++i) {
        diags.error(at(3, 5, 1), "fault");
    }
    EXPECT_TRUE(diags.is_full());
    EXPECT_EQ(diags.error_count(), 50'000U);
    EXPECT_EQ(diags.all().size(), Diagnostics::kMaxKept);
    diags.warning(at(1, 1, 1), "kept all the same");
    EXPECT_TRUE(diags.render_all().ends_with("... and 49900 more\n"));
    EXPECT_NE(diags.render_all().find("kept all the same"), std::string::npos);
    try {
        diags.throw_if_errors("recipe 'web.yaml'");
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "recipe 'web.yaml' has 50000 errors");
    }
}

TEST(Diagnostics, ShowsThePieceOfALongLineAroundTheColumn) {
    const auto file = std::make_shared<SourceFile>(
        SourceFile{"long.yaml", std::string(5000, 'a') + "HERE" + std::string(100'000, 'b')});
    Diagnostics diags;
    diags.error({file, 1, 5001, 4}, "fault");
    EXPECT_EQ(
        diags.render_all(),
        "long.yaml:1:5001: error: fault\n"
        "  1 | ..." +
            std::string(40, 'a') + "HERE" + std::string(76, 'b') +
            "...\n"
            "    | " +
            std::string(43, ' ') + "^~~~\n");
    Diagnostics begin;
    begin.error({file, 1, 1, 200'000}, "all of it");
    EXPECT_EQ(
        begin.render_all(),
        "long.yaml:1:1: error: all of it\n"
        "  1 | " +
            std::string(80, 'a') +
            "...\n"
            "    | ^" +
            std::string(79, '~') + "\n");
}

TEST(Diagnostics, EscapesAndCutsWhatTheFileSays) {
    const auto file =
        std::make_shared<SourceFile>(SourceFile{"evil\x1b.yaml", "a\x1b[2J\xe2\x80\xae: b\n"});
    Diagnostics diags;
    diags.error({file, 1, 6, 2}, "key '" + std::string(1U << 20U, 'k') + "'", "\x07");
    const std::string text = diags.render_all();
    EXPECT_LT(text.size(), 1000U);
    EXPECT_TRUE(text.starts_with("evil\\x1b.yaml:1:6: error: key 'kkk")) << text;
    EXPECT_NE(
        text.find("  1 | a\\x1b[2J\\u{202e}: b\n    |         ^~~~~~~~~\nhint: \\x07\n"),
        std::string::npos)
        << text;
}

} // namespace
} // namespace kiln
