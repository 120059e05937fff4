// SPDX-License-Identifier: MIT
#include "cli/completion.hpp"

#include "cli/commands.hpp"

#include <array>
#include <ostream>

namespace kiln {

namespace {

constexpr auto kExamples = std::to_array<Example>({
    {"source <(kiln completion bash)",
     "enable completion of commands, options and recipes in this shell"},
    {"kiln completion bash > ~/.local/share/bash-completion/completions/kiln",
     "enable completion in every new bash"},
    {"kiln completion zsh > ~/.zfunc/_kiln", "enable completion in zsh, with ~/.zfunc in $fpath"},
    {"kiln completion fish > ~/.config/fish/completions/kiln.fish", "enable completion in fish"},
});

constexpr auto kShells = std::to_array<std::string_view>({"bash", "zsh", "fish"});
constexpr auto kPositionals = std::to_array<PositionalSpec>({
    {.name = "SHELL", .doc = "shell to print the script for", .choices = kShells},
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
        "Prints a shell script that completes kiln's commands, options and their values.",
    .examples = kExamples,
    .positionals = kPositionals,
    .run = run};

} // namespace kiln
