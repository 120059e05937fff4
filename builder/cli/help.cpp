// SPDX-License-Identifier: MIT
#include "cli/help.hpp"

#include "base/text.hpp"
#include "cli/commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace kiln {

namespace {

constexpr std::size_t kNarrowest = 50;
constexpr std::size_t kWidest = 100;
constexpr std::size_t kIndent = 2;

/// Breaks a paragraph into lines of at most `width` columns, the first one continuing at `column`.
std::string wrap(std::string_view text, std::size_t width, std::size_t indent, std::size_t column) {
    std::string out;
    bool first = true;
    for (const std::string& word : split(text, ' ')) {
        if (!first && column + 1 + word.size() > width) {
            out += '\n' + std::string(indent, ' ');
            column = indent;
        } else if (!first) {
            out += ' ';
            ++column;
        }
        out += word;
        column += word.size();
        first = false;
    }
    return out;
}

std::string wrap_paragraphs(std::string_view text, std::size_t width) {
    std::string out;
    for (const std::string& paragraph : paragraphs(text)) {
        out += (out.empty() ? "" : "\n") + wrap(paragraph, width, 0, 0) + '\n';
    }
    return out;
}

struct Row {
    std::string heading;
    std::string text;
};

std::string table(const std::vector<Row>& rows, std::size_t width) {
    constexpr std::size_t kWidestHeading = 24;
    std::size_t column = 0;
    for (const Row& row : rows) {
        if (row.heading.size() <= kWidestHeading) {
            column = std::max(column, row.heading.size());
        }
    }
    column += 2 * kIndent;
    std::string out;
    for (const Row& row : rows) {
        const std::string start = std::string(kIndent, ' ') + row.heading;
        out += start;
        out += start.size() + kIndent <= column ? std::string(column - start.size(), ' ')
                                                : '\n' + std::string(column, ' ');
        out += wrap(row.text, width, column, column) + '\n';
    }
    return out;
}

std::string option_table(std::span<const OptionSpec> options, std::size_t width) {
    std::vector<Row> rows;
    for (const OptionSpec& option : options) {
        rows.push_back({option_heading(option), option_text(option)});
    }
    return table(rows, width);
}

std::string example_list(std::span<const Example> examples, std::size_t width) {
    std::string out;
    for (const Example& example : examples) {
        out += fmt::format(
            "  {}\n      {}\n", example.line, wrap(example.does, width, 3 * kIndent, 3 * kIndent));
    }
    return out;
}

std::string positional_text(const PositionalSpec& positional) {
    return positional.choices.empty()
               ? std::string(positional.doc)
               : fmt::format("{}: {}", positional.doc, fmt::join(positional.choices, ", "));
}

std::size_t bounded(int width) {
    return std::clamp(static_cast<std::size_t>(std::max(width, 0)), kNarrowest, kWidest);
}

} // namespace

std::span<const ExitCodeDoc> exit_code_docs() {
    static constexpr auto kDocs = std::to_array<ExitCodeDoc>({
        {ExitCode::ok, "success"},
        {ExitCode::failed, "failed"},
        {ExitCode::usage, "invalid command line"},
        {ExitCode::invalid_recipe, "invalid recipe or lock"},
        {ExitCode::differs, "result differs from the record"},
        {ExitCode::remote_refused, "rejected by the remote"},
        {ExitCode::bug, "internal error (a bug in kiln)"},
        {ExitCode::interrupted, "interrupted"},
    });
    return kDocs;
}

std::span<const Example> first_examples() {
    static constexpr auto kExamples = std::to_array<Example>({
        {"kiln check recipes/pause.yaml", "check a recipe and report all errors"},
        {"kiln help check", "show help for a command"},
    });
    return kExamples;
}

std::vector<std::string> paragraphs(std::string_view text) {
    std::vector<std::string> out;
    bool continues = false;
    for (const std::string& line : split_lines(text)) {
        if (line.empty()) {
            continues = false;
        } else if (continues) {
            out.back() += ' ' + line;
        } else {
            out.push_back(line);
            continues = true;
        }
    }
    return out;
}

std::string option_heading(const OptionSpec& option) {
    std::string out(option.name);
    if (option.letter != 0) {
        out = fmt::format("-{}, {}", option.letter, out);
    }
    return option.value.empty() ? out : fmt::format("{} {}", out, option.value);
}

std::string option_text(const OptionSpec& option) {
    std::string out(option.doc);
    if (!option.choices.empty()) {
        out += fmt::format(": {}", fmt::join(option.choices, ", "));
    }
    if (option.repeatable) {
        out += " (may be repeated)";
    }
    return out;
}

std::string usage_of(const CommandSpec& command) {
    std::string out = fmt::format("kiln {} [OPTION...]", command.name);
    for (const PositionalSpec& positional : command.positionals) {
        switch (positional.count) {
        case Count::one:
            out += fmt::format(" {}", positional.name);
            break;
        case Count::optional:
            out += fmt::format(" [{}]", positional.name);
            break;
        case Count::any:
            out += fmt::format(" [{}...]", positional.name);
            break;
        case Count::at_least_one:
            out += fmt::format(" {}...", positional.name);
            break;
        }
    }
    return out;
}

std::string overview(int width) {
    const std::size_t columns = bounded(width);
    std::vector<Row> commands;
    for (const CommandSpec* command : all_commands()) {
        if (!command->hidden) {
            commands.push_back({std::string(command->name), std::string(command->summary)});
        }
    }
    std::vector<Row> codes;
    for (const ExitCodeDoc& doc : exit_code_docs()) {
        codes.push_back({std::to_string(static_cast<int>(doc.code)), std::string(doc.meaning)});
    }
    return fmt::format(
        "kiln - build reproducible Debian images\n\nUsage: kiln COMMAND [OPTION...] "
        "[ARGUMENT...]\n\nExamples:\n{}\nCommands:\n{}\nGlobal options:\n{}\nExit codes:\n{}",
        example_list(first_examples(), columns),
        table(commands, columns),
        option_table(global_option_specs(), columns),
        table(codes, columns));
}

std::string help_of(const CommandSpec& command, int width) {
    const std::size_t columns = bounded(width);
    std::string out = fmt::format(
        "kiln {} - {}\n\nUsage: {}\n\nExamples:\n{}\n{}",
        command.name,
        command.summary,
        usage_of(command),
        example_list(command.examples, columns),
        wrap_paragraphs(whole_description(command), columns));
    if (!command.positionals.empty()) {
        std::vector<Row> rows;
        for (const PositionalSpec& positional : command.positionals) {
            rows.push_back({std::string(positional.name), positional_text(positional)});
        }
        out += "\nArguments:\n" + table(rows, columns);
    }
    if (!command.options.empty()) {
        out += "\nOptions:\n" + option_table(command.options, columns);
    }
    out += "\nGlobal options:\n" + option_table(global_option_specs(), columns);
    return out;
}

} // namespace kiln
