// SPDX-License-Identifier: MIT
#include "cli/parse.hpp"

#include "base/text.hpp"
#include "cli/commands.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

namespace kiln {

namespace {

[[noreturn]] void fail(std::string message, std::string hint) {
    throw UsageError(std::move(message)).with_hint(std::move(hint));
}

std::string help_hint(const CommandSpec* command) {
    return command == nullptr ? "run 'kiln help' for a list of commands"
                              : fmt::format("run 'kiln help {}' for examples", command->name);
}

/// CLI11 with the options of the tables. It parses options only: what is left over are the
/// positional arguments, and unknown options, which we can name better than it does.
class Grammar {
  public:
    Grammar() {
        app_.set_help_flag();
        app_.allow_extras();
        add(global_option_specs());
    }

    void add(std::span<const OptionSpec> options) {
        for (const OptionSpec& spec : options) {
            Given& given = given_.emplace_back(Given{&spec, false, {}});
            std::string names(spec.name);
            if (spec.letter != 0) {
                names = fmt::format("-{},{}", spec.letter, names);
            }
            if (spec.value.empty()) {
                app_.add_flag(names, given.set);
            } else {
                app_.add_option(names, given.values)->allow_extra_args(false);
            }
        }
    }

    /// The first word that is not an option ends the parsing; it and all after it are left over.
    void stop_at_first_word() { app_.prefix_command(); }

    std::vector<std::string> parse(std::span<const std::string> words, const CommandSpec* command) {
        std::vector<std::string> reversed(words.rbegin(), words.rend());
        try {
            app_.parse(reversed);
        } catch (const CLI::ParseError& error) {
            const std::string text = error.what();
            const std::string name = text.substr(0, text.find(':'));
            const OptionSpec* spec = find(name);
            fail(
                spec == nullptr ? text
                                : fmt::format("option '{}' requires a {}", spec->name, spec->value),
                help_hint(command));
        }
        std::vector<std::string> left = app_.remaining();
        const bool stopped = app_.get_prefix_command();
        refuse_values_of_flags(words.first(words.size() - (stopped ? left.size() : 0)), command);
        return left;
    }

    /// Moves what was given into `arguments`, checked against the tables.
    void deliver(Arguments& arguments, const CommandSpec* command) const {
        for (const Given& given : given_) {
            const OptionSpec& spec = *given.spec;
            if (spec.value.empty()) {
                arguments.set(
                    spec.name,
                    given.set ? std::vector<std::string>{""} : std::vector<std::string>());
                continue;
            }
            if (given.values.size() > 1 && !spec.repeatable) {
                fail(
                    fmt::format("option '{}' is given more than once", spec.name),
                    help_hint(command));
            }
            for (const std::string& value : given.values) {
                check_choice(fmt::format("option '{}'", spec.name), value, spec.choices);
            }
            arguments.set(spec.name, given.values);
        }
    }

    [[noreturn]] void fail_unknown(const std::string& word, const CommandSpec* command) const {
        const std::string name = word.substr(0, word.find('='));
        std::vector<std::string_view> known;
        for (const Given& given : given_) {
            known.push_back(given.spec->name);
        }
        const std::string meant = did_you_mean(name, known);
        fail(
            command == nullptr ? fmt::format("unknown option '{}'", name)
                               : fmt::format("'kiln {}' has no option '{}'", command->name, name),
            meant.empty() ? help_hint(command) : meant);
    }

    static void check_choice(
        const std::string& what,
        const std::string& value,
        std::span<const std::string_view> choices) {
        if (!choices.empty() && std::find(choices.begin(), choices.end(), value) == choices.end()) {
            fail(
                fmt::format(
                    "invalid value for {}: expected one of '{}', not '{}'",
                    what,
                    fmt::join(choices, "', '"),
                    value),
                did_you_mean(value, choices));
        }
    }

  private:
    struct Given {
        const OptionSpec* spec;
        bool set;
        std::vector<std::string> values;
    };

    /// CLI11 takes "--quiet=3" for a count.
    void
    refuse_values_of_flags(std::span<const std::string> words, const CommandSpec* command) const {
        for (const std::string& word : words) {
            const std::size_t equals = word.find('=');
            const OptionSpec* spec = find(std::string_view(word).substr(0, equals));
            if (equals != std::string::npos && spec != nullptr && spec->value.empty()) {
                fail(
                    fmt::format("option '{}' does not take a value", spec->name),
                    help_hint(command));
            }
        }
    }

    [[nodiscard]] const OptionSpec* find(std::string_view name) const {
        for (const Given& given : given_) {
            if (given.spec->name == name) {
                return given.spec;
            }
        }
        return nullptr;
    }

    CLI::App app_;
    std::deque<Given> given_; // CLI11 keeps references into it
};

bool looks_like_option(const std::string& word) {
    return word.size() > 1 && word[0] == '-';
}

GlobalOptions read_global(const Arguments& arguments) {
    GlobalOptions global;
    global.help = arguments.flag("--help");
    global.version = arguments.flag("--version");
    global.json = arguments.flag("--json");
    global.debug = arguments.flag("--debug");
    global.log_json = arguments.value_or("--log-format", "text") == "json";
    if (arguments.flag("--quiet")) {
        global.level = Level::warning;
    }
    if (arguments.flag("--verbose") || global.debug) {
        global.level = Level::debug;
    }
    return global;
}

/// The command that `words` begin with; takes its words away.
const CommandSpec& take_command(std::span<const std::string>& words) {
    const std::string& first = words[0];
    if (const CommandSpec* command = find_command(first)) {
        words = words.subspan(1);
        return *command;
    }
    const std::vector<std::string_view> group = words_of_group(first);
    if (group.empty()) {
        const std::string meant = did_you_mean(first, command_words());
        fail(
            fmt::format("unknown command '{}'", first), meant.empty() ? help_hint(nullptr) : meant);
    }
    const std::string list = fmt::format("'{}'", fmt::join(group, "', '"));
    if (words.size() < 2 || looks_like_option(words[1])) {
        fail(fmt::format("'kiln {}' requires one of {}", first, list), help_hint(nullptr));
    }
    const CommandSpec* command = find_command(fmt::format("{} {}", first, words[1]));
    if (command == nullptr) {
        fail(
            fmt::format("unknown command 'kiln {} {}': expected one of {}", first, words[1], list),
            did_you_mean(words[1], group));
    }
    words = words.subspan(2);
    return *command;
}

/// Deals the words out to the positionals of the table.
void assign_positionals(
    const CommandSpec& command, std::span<const std::string> words, Arguments& arguments) {
    for (const PositionalSpec& spec : command.positionals) {
        const bool many = spec.count == Count::any || spec.count == Count::at_least_one;
        const bool needed = spec.count == Count::one || spec.count == Count::at_least_one;
        if (words.empty() && needed) {
            fail(
                fmt::format("'kiln {}' requires {}: {}", command.name, spec.name, spec.doc),
                help_hint(&command));
        }
        const std::size_t count = many ? words.size() : std::min<std::size_t>(words.size(), 1);
        const std::vector<std::string> taken(
            words.begin(), words.begin() + static_cast<long>(count));
        for (const std::string& word : taken) {
            Grammar::check_choice(std::string(spec.name), word, spec.choices);
        }
        arguments.set(spec.name, taken);
        words = words.subspan(count);
    }
    if (!words.empty()) {
        fail(
            fmt::format("'kiln {}': unexpected argument '{}'", command.name, words[0]),
            help_hint(&command));
    }
}

/// So that what --help and --version leave out is there all the same.
void assign_nothing(const CommandSpec& command, Arguments& arguments) {
    for (const PositionalSpec& spec : command.positionals) {
        arguments.set(spec.name, {});
    }
}

} // namespace

ParsedLine parse_command_line(std::span<const std::string> words) {
    ParsedLine line;
    // All after "--" is positional, whatever it looks like.
    const auto separator = std::find(words.begin(), words.end(), "--");
    const auto before = static_cast<std::size_t>(separator - words.begin());
    std::span<const std::string> rest = words.first(before);
    const std::span<const std::string> tail = words.subspan(std::min(before + 1, words.size()));

    Grammar global;
    global.stop_at_first_word();
    const std::vector<std::string> command_part = global.parse(rest, nullptr);
    global.deliver(line.arguments, nullptr);
    line.global = read_global(line.arguments);
    if (command_part.empty()) {
        return line;
    }
    if (looks_like_option(command_part[0])) {
        global.fail_unknown(command_part[0], nullptr);
    }
    // The global options before the command are parsed again with those after it.
    const std::vector<std::string> leading(
        rest.begin(), rest.end() - static_cast<long>(command_part.size()));
    rest = command_part;
    const CommandSpec& command = take_command(rest);
    line.command = &command;

    Grammar grammar;
    grammar.add(command.options);
    std::vector<std::string> options(leading);
    options.insert(options.end(), rest.begin(), rest.end());
    std::vector<std::string> left = grammar.parse(options, &command);
    grammar.deliver(line.arguments, &command);
    line.global = read_global(line.arguments);
    for (const std::string& word : left) {
        if (looks_like_option(word)) {
            grammar.fail_unknown(word, &command);
        }
    }
    left.insert(left.end(), tail.begin(), tail.end());
    if (line.global.help || line.global.version) {
        assign_nothing(command, line.arguments);
    } else {
        assign_positionals(command, left, line.arguments);
    }
    return line;
}

} // namespace kiln
