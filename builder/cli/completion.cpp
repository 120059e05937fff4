// SPDX-License-Identifier: MIT
#include "cli/completion.hpp"

#include "base/text.hpp"
#include "cli/commands.hpp"

#include <fmt/format.h>

#include <vector>

namespace kiln {

namespace {

std::vector<const CommandSpec*> visible_commands() {
    std::vector<const CommandSpec*> out;
    for (const CommandSpec* command : all_commands()) {
        if (!command->hidden) {
            out.push_back(command);
        }
    }
    return out;
}

/// Of a command, or of a group what its commands are.
std::string summary_of_word(std::string_view word) {
    if (const CommandSpec* command = find_command(word)) {
        return std::string(command->summary);
    }
    return fmt::format("{}", fmt::join(words_of_group(word), ", "));
}

/// Options of the command and those of every command.
std::vector<OptionSpec> options_of(const CommandSpec& command) {
    std::vector<OptionSpec> out(command.options.begin(), command.options.end());
    const auto global = global_option_specs();
    out.insert(out.end(), global.begin(), global.end());
    return out;
}

/// Text inside single quotes of any of the three shells. Tables hold no quotes in what is
/// completed, and descriptions lose theirs.
std::string bare(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c != '\'' && c != '\\' && c != '[' && c != ']' && c != ':') {
            out += c;
        }
    }
    return out;
}

std::string in_quotes(std::string_view text) {
    return "'" + bare(text) + "'";
}

// bash -----------------------------------------------------------------------------------------

std::string bash_action(std::span<const std::string_view> choices, Completes completes) {
    if (!choices.empty()) {
        return fmt::format("_kiln_words {}", in_quotes(fmt::format("{}", fmt::join(choices, " "))));
    }
    switch (completes) {
    case Completes::file:
        return "_kiln_files";
    case Completes::directory:
        return "_kiln_directories";
    case Completes::recipe:
        return "_kiln_recipes";
    case Completes::command:
        return fmt::format(
            "_kiln_words {}", in_quotes(fmt::format("{}", fmt::join(command_words(), " "))));
    case Completes::nothing:
        break;
    }
    return ":";
}

std::string bash_command(const CommandSpec& command) {
    std::string values;
    std::string words;
    for (const OptionSpec& option : options_of(command)) {
        words += fmt::format("{}{}", words.empty() ? "" : " ", option.name);
        if (!option.value.empty()) {
            values += fmt::format(
                "            {}) {}; return ;;\n",
                option.name,
                bash_action(option.choices, option.completes));
        }
    }
    std::string positional = ":";
    if (!command.positionals.empty()) {
        positional = bash_action(command.positionals[0].choices, command.positionals[0].completes);
    }
    return fmt::format(
        "    {})\n        case $prev in\n{}        esac\n"
        "        case $cur in\n            -*) _kiln_words {} ;;\n            *) {} ;;\n"
        "        esac ;;\n",
        in_quotes(command.name),
        values,
        in_quotes(words),
        positional);
}

constexpr std::string_view kBashHelpers =
    R"(# bash completion for kiln, made by 'kiln completion bash'
_kiln_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur"); }
_kiln_files() { mapfile -t COMPREPLY < <(compgen -f -- "$cur"); compopt -o filenames; }
_kiln_directories() { mapfile -t COMPREPLY < <(compgen -d -- "$cur"); compopt -o filenames; }
_kiln_recipes() {
    local names
    names=$(for file in recipes/*.yaml; do
        [ -f "$file" ] && file=${file##*/} && echo "${file%.yaml}"
    done)
    mapfile -t COMPREPLY < <(
        compgen -W "$names" -- "$cur"
        compgen -f -X '!*.yaml' -- "$cur"
        compgen -d -- "$cur")
    compopt -o filenames
}
)";

std::string bash_groups() {
    std::string out;
    for (const std::string_view word : command_words()) {
        const auto second = words_of_group(word);
        if (!second.empty()) {
            out += fmt::format(
                "    {}) _kiln_words {} ;;\n",
                in_quotes(word),
                in_quotes(fmt::format("{}", fmt::join(second, " "))));
        }
    }
    return out;
}

// zsh ------------------------------------------------------------------------------------------

std::string zsh_action(std::span<const std::string_view> choices, Completes completes) {
    if (!choices.empty()) {
        return fmt::format("({})", fmt::join(choices, " "));
    }
    switch (completes) {
    case Completes::file:
        return "_files";
    case Completes::directory:
        return "_files -/";
    case Completes::recipe:
        return "_kiln_recipes";
    case Completes::command:
        return fmt::format("({})", fmt::join(command_words(), " "));
    case Completes::nothing:
        break;
    }
    return " ";
}

std::string zsh_option(const OptionSpec& option) {
    return fmt::format(
        " \\\n            '{}{}[{}]{}'",
        option.repeatable ? "*" : "",
        option.name,
        bare(option.doc),
        option.value.empty()
            ? std::string()
            : fmt::format(":{}:{}", option.value, zsh_action(option.choices, option.completes)));
}

std::string zsh_command(const CommandSpec& command) {
    std::string out = fmt::format("        {}) _arguments", in_quotes(command.name));
    for (const OptionSpec& option : options_of(command)) {
        out += zsh_option(option);
    }
    for (const PositionalSpec& positional : command.positionals) {
        const bool many = positional.count == Count::any || positional.count == Count::at_least_one;
        out += fmt::format(
            " \\\n            '{}:{}:{}'",
            many ? "*" : "",
            positional.name,
            zsh_action(positional.choices, positional.completes));
    }
    return out + " ;;\n";
}

std::string zsh_words() {
    std::string out;
    for (const std::string_view word : command_words()) {
        out += fmt::format("            '{}:{}'\n", word, bare(summary_of_word(word)));
    }
    return out;
}

std::string zsh_groups() {
    std::string out;
    for (const std::string_view word : command_words()) {
        const auto second = words_of_group(word);
        if (!second.empty()) {
            out += fmt::format(
                "        {})\n"
                "            if (( CURRENT == 3 )); then compadd {}; return; fi\n"
                "            command=\"$command $words[3]\"\n"
                "            shift words\n"
                "            (( CURRENT-- )) ;;\n",
                in_quotes(word),
                fmt::join(second, " "));
        }
    }
    return out;
}

// fish -----------------------------------------------------------------------------------------

std::string fish_action(std::span<const std::string_view> choices, Completes completes) {
    if (!choices.empty()) {
        return fmt::format(" -x -a {}", in_quotes(fmt::format("{}", fmt::join(choices, " "))));
    }
    switch (completes) {
    case Completes::file:
    case Completes::recipe:
        return " -r -F";
    case Completes::directory:
        return " -x -a '(__fish_complete_directories)'";
    case Completes::command:
        return fmt::format(
            " -x -a {}", in_quotes(fmt::format("{}", fmt::join(command_words(), " "))));
    case Completes::nothing:
        break;
    }
    return " -x";
}

std::string fish_option(const OptionSpec& option, std::string_view condition) {
    return fmt::format(
        "complete -c kiln{} -l {}{}{} -d {}\n",
        condition,
        option.name.substr(2),
        option.letter == 0 ? std::string() : fmt::format(" -s {}", option.letter),
        option.value.empty() ? std::string() : fish_action(option.choices, option.completes),
        in_quotes(option.doc));
}

std::string fish_words() {
    std::string out;
    for (const std::string_view word : command_words()) {
        out += fmt::format(
            "complete -c kiln -n __fish_use_subcommand -a {} -d {}\n",
            in_quotes(word),
            in_quotes(summary_of_word(word)));
        for (const std::string_view second : words_of_group(word)) {
            out += fmt::format(
                "complete -c kiln -n '__fish_seen_subcommand_from {}' -a {}\n",
                word,
                in_quotes(second));
        }
    }
    return out;
}

std::string fish_command(const CommandSpec& command) {
    std::string condition;
    for (const std::string& word : split(command.name, ' ')) {
        condition += fmt::format(
            "{}__fish_seen_subcommand_from {}", condition.empty() ? "" : "; and ", word);
    }
    const std::string test = fmt::format(" -n '{}'", condition);
    std::string out;
    for (const OptionSpec& option : command.options) {
        out += fish_option(option, test);
    }
    for (const PositionalSpec& positional : command.positionals) {
        out += fmt::format(
            "complete -c kiln{}{}\n", test, fish_action(positional.choices, positional.completes));
    }
    return out;
}

} // namespace

std::string bash_completion() {
    std::string cases;
    std::string names;
    for (const CommandSpec* command : visible_commands()) {
        cases += bash_command(*command);
        names += fmt::format("{}{}", names.empty() ? "" : "|", in_quotes(command->name));
    }
    return fmt::format(
        "{}_kiln() {{\n"
        "    local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}}\n"
        "    local command='' word\n"
        "    COMPREPLY=()\n"
        "    for word in \"${{COMP_WORDS[@]:1:COMP_CWORD-1}}\"; do\n"
        "        case $word in -*) continue ;; esac\n"
        "        command=\"${{command:+$command }}$word\"\n"
        "        case $command in {}) break ;; esac\n"
        "    done\n"
        "    case $command in\n"
        "    '') _kiln_words {} ;;\n{}{}    esac\n"
        "}}\n"
        "complete -F _kiln kiln\n",
        kBashHelpers,
        names,
        in_quotes(fmt::format("{} --help --version", fmt::join(command_words(), " "))),
        bash_groups(),
        cases);
}

std::string zsh_completion() {
    std::string cases;
    for (const CommandSpec* command : visible_commands()) {
        cases += zsh_command(*command);
    }
    return fmt::format(
        "#compdef kiln\n"
        "# zsh completion for kiln, made by 'kiln completion zsh'\n"
        "_kiln_recipes() {{\n"
        "    compadd -- recipes/*.yaml(N:t:r)\n"
        "    _files -g '*.yaml'\n"
        "}}\n"
        "_kiln() {{\n"
        "    if (( CURRENT == 2 )); then\n"
        "        local -a commands=(\n{}        )\n"
        "        _describe command commands\n"
        "        return\n"
        "    fi\n"
        "    local command=$words[2]\n"
        "    case $command in\n{}    esac\n"
        "    shift words\n"
        "    (( CURRENT-- ))\n"
        "    case $command in\n{}    esac\n"
        "}}\n"
        "if [[ $funcstack[1] = _kiln ]]; then _kiln \"$@\"; else compdef _kiln kiln; fi\n",
        zsh_words(),
        zsh_groups(),
        cases);
}

std::string fish_completion() {
    std::string out = "# fish completion for kiln, made by 'kiln completion fish'\n"
                      "complete -c kiln -f\n";
    for (const OptionSpec& option : global_option_specs()) {
        out += fish_option(option, "");
    }
    out += fish_words();
    for (const CommandSpec* command : visible_commands()) {
        out += fish_command(*command);
    }
    return out;
}

} // namespace kiln
