// SPDX-License-Identifier: MIT
#include "cli/completion.hpp"

#include "cli/commands.hpp"

#include <array>
#include <ostream>

namespace kiln {

namespace {

constexpr auto kExamples = std::to_array<Example>({
    {"source <(kiln completion bash)", "completes commands, options and recipes in this shell"},
    {"kiln completion bash > ~/.local/share/bash-completion/completions/kiln",
     "does so in every bash from now on"},
    {"kiln completion zsh > ~/.zfunc/_kiln", "the same for zsh, with ~/.zfunc in $fpath"},
    {"kiln completion fish > ~/.config/fish/completions/kiln.fish", "the same for fish"},
});

constexpr auto kShells = std::to_array<std::string_view>({"bash", "zsh", "fish"});
constexpr auto kPositionals = std::to_array<PositionalSpec>({
    {.name = "SHELL", .doc = "the shell to complete in", .choices = kShells},
});

ExitCode run(const Arguments& arguments, Context& context) {
    const std::string& shell = arguments.positional("SHELL");
    context.io.out
        << (shell == "bash"  ? bash_completion()
            : shell == "zsh" ? zsh_completion()
                             : fish_completion());
    return ExitCode::ok;
}

} // namespace

const CommandSpec kCompletionCommand{
    .name = "completion",
    .summary = "print a completion script for a shell",
    .description =
        "Prints a script that makes the shell complete kiln's commands, options and their "
        "values.",
    .examples = kExamples,
    .positionals = kPositionals,
    .run = run};

} // namespace kiln
