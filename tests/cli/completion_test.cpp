// SPDX-License-Identifier: MIT
#include "base/io/file.hpp"
#include "base/process/process.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "support/fake_io.hpp"

#include <gtest/gtest.h>

namespace kiln {
namespace {

using test::run_kiln;

ProcessResult run_shell(const std::string& shell, const std::vector<std::string>& args) {
    SystemProcessRunner runner;
    return runner.run({.program = shell, .args = args, .env = clean_environment()});
}

/// What bash offers after `words`, the last of which is being typed.
std::string complete_in_bash(const std::string& words) {
    const TempDir dir(temporary_root(), "kiln-test");
    fs::create_directory(dir.path() / "recipes");
    write_file_atomically(dir.path() / "recipes/pause.yaml", "");
    write_file_atomically(dir.path() / "web.yaml", "");
    write_file_atomically(dir.path() / "kiln.bash", run_kiln({"completion", "bash"}).out);
    const std::string script = "set -u; cd " + dir.path().string() +
                               "; compopt() { :; }; source ./kiln.bash; COMP_WORDS=(kiln " + words +
                               "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _kiln; "
                               "printf '%s\\n' \"${COMPREPLY[@]}\"";
    const ProcessResult result = run_shell("bash", {"--norc", "-c", script});
    EXPECT_TRUE(result.ok()) << result.output;
    return result.output;
}

TEST(BashCompletion, OffersCommandsOptionsAndValues) {
    EXPECT_EQ(complete_in_bash("ch"), "check\n");
    EXPECT_EQ(complete_in_bash("check --se"), "--set\n");
    EXPECT_EQ(complete_in_bash("--json check --log-format ''"), "text\njson\n");
    EXPECT_EQ(complete_in_bash("completion z"), "zsh\n");
    EXPECT_EQ(complete_in_bash("check pa"), "pause\n");
    EXPECT_EQ(complete_in_bash("check we"), "web.yaml\n");
    EXPECT_EQ(complete_in_bash("help ver"), "version\n");
}

TEST(BashCompletion, KnowsEveryOption) {
    for (const CommandSpec* command : all_commands()) {
        for (const OptionSpec& option : command->options) {
            if (!command->hidden) {
                const std::string line =
                    std::string(command->name) + " " + std::string(option.name);
                EXPECT_NE(
                    complete_in_bash(line).find(std::string(option.name) + "\n"), std::string::npos)
                    << line;
            }
        }
    }
}

TEST(Completion, IsReadByEveryShellThatIsThere) {
    for (const std::string shell : {"bash", "zsh", "fish"}) {
        if (find_program(shell).empty()) {
            std::cout << shell << " is not installed: its completion is not checked\n";
            continue;
        }
        const TempDir dir(temporary_root(), "kiln-test");
        const fs::path script = dir.path() / "script";
        write_file_atomically(script, run_kiln({"completion", shell}).out);
        const ProcessResult result = run_shell(shell, {"-n", script.string()});
        EXPECT_TRUE(result.ok()) << shell << ": " << result.output;
    }
}

} // namespace
} // namespace kiln
