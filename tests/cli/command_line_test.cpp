// SPDX-License-Identifier: MIT
#include "base/io/file.hpp"
#include "cli/commands.hpp"
#include "cli/parse.hpp"
#include "support/fake_io.hpp"

#include <gtest/gtest.h>

namespace kiln {
namespace {

using test::CliResult;
using test::run_kiln;

struct BadLine {
    std::vector<std::string> words;
    std::string err;
};

TEST(CommandLine, SaysWhatIsWrongAndWhatWasMeant) {
    const std::vector<BadLine> lines{
        {{"chek"}, "error: unknown command 'chek'\nhint: did you mean 'check'?\n"},
        {{"frobnicate"},
         "error: unknown command 'frobnicate'\nhint: run 'kiln help' for a list of commands\n"},
        {{"check", "--st", "a=b", "x"},
         "error: 'kiln check' has no option '--st'\nhint: did you mean '--set'?\n"},
        {{"check", "--frob=1", "x"},
         "error: 'kiln check' has no option '--frob'\nhint: run 'kiln help check' for examples\n"},
        {{"--jsn"}, "error: unknown option '--jsn'\nhint: did you mean '--json'?\n"},
        {{"--jsn", "check"}, "error: unknown option '--jsn'\nhint: did you mean '--json'?\n"},
        {{"check"},
         "error: 'kiln check' requires RECIPE: recipe file, or the name of one in the project\n"
         "hint: run 'kiln help check' for examples\n"},
        {{"check", "a", "b"},
         "error: 'kiln check': unexpected argument 'b'\n"
         "hint: run 'kiln help check' for examples\n"},
        {{"check", "--set"},
         "error: option '--set' requires a NAME=VALUE\nhint: run 'kiln help check' for examples\n"},
        {{"check", "--set", "x", "a.yaml"},
         "error: invalid value 'x' (--set): expected NAME=VALUE\n"},
        {{"version", "--log-format", "jsn"},
         "error: invalid value for option '--log-format': expected one of 'text', 'json', not "
         "'jsn'\n"
         "hint: did you mean 'json'?\n"},
        {{"version", "--log-format", "text", "--log-format", "text"},
         "error: option '--log-format' is given more than once\n"
         "hint: run 'kiln help version' for examples\n"},
        {{"version", "--quiet=3"},
         "error: option '--quiet' does not take a value\nhint: run 'kiln help version' for "
         "examples\n"},
        {{"completion", "bahs"},
         "error: invalid value for SHELL: expected one of 'bash', 'zsh', 'fish', not 'bahs'\n"
         "hint: did you mean 'bash'?\n"},
        {{"help", "chek"}, "error: unknown command 'chek'\nhint: did you mean 'check'?\n"},
        {{"check", "--", "-x"},
         "error: recipe 'recipes/-x.yaml' not found\n"
         "hint: 'recipes' has no recipes\n"},
    };
    const TempDir empty(temporary_root(), "kiln-test");
    fs::current_path(empty.path());
    for (const BadLine& line : lines) {
        const CliResult result = run_kiln(line.words);
        EXPECT_EQ(result.err, line.err);
        EXPECT_EQ(result.exit_code, 2) << line.err;
        EXPECT_EQ(result.out, "");
    }
    fs::current_path("/");
}

TEST(CommandLine, AnswersWithHelpWhenNothingIsAsked) {
    const CliResult result = run_kiln({});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_NE(result.err.find("Commands:\n  init "), std::string::npos);
}

TEST(CommandLine, TakesGlobalOptionsOnBothSidesOfTheCommand) {
    const std::string json = "{\n  \"name\": \"kiln\",\n  \"version\": \"" KILN_VERSION "\"\n}\n";
    EXPECT_EQ(run_kiln({"--json", "version"}).out, json);
    EXPECT_EQ(run_kiln({"version", "--json"}).out, json);
    EXPECT_EQ(run_kiln({"--log-format", "json", "version", "--json"}).out, json);
    EXPECT_EQ(run_kiln({"version"}).out, "kiln " KILN_VERSION "\n");
    EXPECT_EQ(run_kiln({"--version"}).out, "kiln " KILN_VERSION "\n");
}

TEST(CommandLine, ReportsItsOwnErrorsAsJsonToo) {
    EXPECT_EQ(
        run_kiln({"--log-format=json", "chek"}).err,
        "{\"level\":\"error\",\"message\":\"unknown command 'chek'\\nhint: did you mean "
        "'check'?\"}\n");
}

TEST(CommandLine, FailsWhenTheResultCannotBeWritten) {
    test::FakeProcessRunner processes;
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    out.setstate(std::ios::badbit);
    Io io{.in = in, .out = out, .err = err, .env = {}, .processes = processes, .program = {}};
    const std::vector<std::string> words{"version"};
    EXPECT_EQ(run_cli(words, io), 1);
    EXPECT_EQ(err.str(), "error: cannot write to standard output\n");
}

TEST(ParseCommandLine, CollectsRepeatedOptionsAndPositionals) {
    const std::vector<std::string> words{
        "-q", "check", "--set", "a=1", "web.yaml", "--set=b=-2", "--debug"};
    const ParsedLine line = parse_command_line(words);
    ASSERT_EQ(line.command, find_command("check"));
    EXPECT_EQ(line.arguments.values("--set"), (std::vector<std::string>{"a=1", "b=-2"}));
    EXPECT_EQ(line.arguments.positional("RECIPE"), "web.yaml");
    EXPECT_TRUE(line.global.debug);
    EXPECT_EQ(line.global.level, Level::debug);
}

TEST(Arguments, CheckNumbers) {
    Arguments arguments;
    arguments.set("--jobs", {"12"});
    arguments.set("--rounds", {"many"});
    arguments.set("--none", {});
    EXPECT_EQ(arguments.number("--jobs", 1, 64), 12U);
    EXPECT_EQ(arguments.number("--none", 1, 64), std::nullopt);
    try {
        static_cast<void>(arguments.number("--rounds", 1, 9));
        FAIL() << "no exception";
    } catch (const UsageError& error) {
        EXPECT_EQ(
            error.message(), "option '--rounds' requires a whole number from 1 to 9, not 'many'");
    }
    EXPECT_THROW(static_cast<void>(arguments.flag("--undeclared")), Error);
}

} // namespace
} // namespace kiln
