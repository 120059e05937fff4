// SPDX-License-Identifier: MIT
#include "base/io/file.hpp"
#include "base/process/process.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "support/fake_io.hpp"

#include <gtest/gtest.h>

#include <set>

namespace kiln {
namespace {

using test::run_kiln;

std::vector<std::string> words_of(std::string_view name) {
    return split(name, ' ');
}

TEST(Help, TeachesEveryCommandByExample) {
    for (const CommandSpec* command : all_commands()) {
        const std::string name(command->name);
        EXPECT_FALSE(command->examples.empty()) << name;
        for (const Example& example : command->examples) {
            EXPECT_NE(example.line.find("kiln " + name), std::string::npos) << example.line;
        }
        std::vector<std::string> words = words_of(name);
        words.emplace_back("--help");
        const auto by_option = run_kiln(words);
        EXPECT_EQ(by_option.exit_code, 0) << name;
        EXPECT_NE(by_option.out.find("Usage: kiln " + name), std::string::npos);
        EXPECT_LT(by_option.out.find("Examples:"), by_option.out.find("Options of every"));
        words.pop_back();
        words.insert(words.begin(), "help");
        EXPECT_EQ(run_kiln(words).out, by_option.out);
    }
}

TEST(Help, FitsTheTerminal) {
    for (const CommandSpec* command : all_commands()) {
        for (const std::string& line : split_lines(help_of(*command, 80))) {
            const bool is_example = line.starts_with("  kiln ") || line.starts_with("  source ");
            EXPECT_TRUE(line.size() <= 80 || is_example) << line;
        }
    }
}

TEST(Help, ListsEveryCommandThatIsNotHidden) {
    const std::string text = run_kiln({"help"}).out;
    EXPECT_EQ(text, run_kiln({"--help"}).out);
    for (const CommandSpec* command : all_commands()) {
        const bool listed =
            text.find("\n  " + std::string(command->name) + " ") != std::string::npos;
        EXPECT_EQ(listed, !command->hidden) << command->name;
    }
    EXPECT_NE(text.find("\n  130  interrupted\n"), std::string::npos);
}

TEST(CommandTable, FollowsTheRulesOfStyle) {
    std::set<std::string_view> names;
    for (const CommandSpec* command : all_commands()) {
        EXPECT_TRUE(names.insert(command->name).second) << command->name;
        EXPECT_NE(command->run, nullptr);
        EXPECT_FALSE(command->summary.ends_with('.')) << command->summary;
        EXPECT_TRUE(command->description.ends_with('.')) << command->description;
        std::set<std::string_view> options;
        for (const auto& list : {command->options, global_option_specs()}) {
            for (const OptionSpec& option : list) {
                EXPECT_TRUE(option.name.starts_with("--")) << option.name;
                EXPECT_TRUE(options.insert(option.name).second) << option.name;
                EXPECT_FALSE(option.doc.empty() || option.doc.ends_with('.')) << option.doc;
            }
        }
        for (const Example& example : command->examples) {
            EXPECT_FALSE(example.does.ends_with('.')) << example.does;
        }
    }
}

TEST(ManualPages, PassMandoc) {
    if (find_program("mandoc").empty()) {
        GTEST_SKIP() << "mandoc is not installed: manual pages are not checked";
    }
    const TempDir dir(temporary_root(), "kiln-test");
    EXPECT_EQ(run_kiln({"man", "--out", dir.path().string()}).exit_code, 0);
    std::size_t pages = 0;
    for (const fs::directory_entry& page : fs::directory_iterator(dir.path())) {
        SystemProcessRunner runner;
        const ProcessResult result = runner.run(
            {.program = "mandoc",
             .args = {"-T", "lint", "-W", "style", page.path().string()},
             .env = clean_environment()});
        EXPECT_TRUE(result.ok()) << result.output;
        ++pages;
    }
    EXPECT_GT(pages, 5U);
    EXPECT_EQ(run_kiln({"man", "check"}).out, read_text_file(dir.path() / "kiln-check.1"));
    EXPECT_EQ(run_kiln({"man"}).out, read_text_file(dir.path() / "kiln.1"));
}

TEST(ManualPages, NameEveryOptionOfTheHelp) {
    for (const CommandSpec* command : all_commands()) {
        const std::string page = page_of(*command);
        for (const OptionSpec& option : command->options) {
            std::string escaped;
            for (const char c : option.name) {
                escaped += c == '-' ? std::string("\\-") : std::string(1, c);
            }
            EXPECT_NE(page.find(escaped), std::string::npos) << option.name;
        }
    }
}

} // namespace
} // namespace kiln
