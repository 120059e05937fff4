// SPDX-License-Identifier: MIT
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/version.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace kiln {

namespace {

std::string upper(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) {
        return static_cast<char>(std::toupper(c));
    });
    return out;
}

/// Lines short enough for mandoc's lint; roff fills paragraphs on its own.
std::string fold(std::string_view text) {
    constexpr std::size_t kWidth = 60;
    std::string out;
    std::size_t column = 0;
    for (const std::string& word : split(text, ' ')) {
        if (!out.empty()) {
            const bool fits = column + word.size() < kWidth;
            out += fits ? ' ' : '\n';
            column = fits ? column + 1 : 0;
        }
        out += word;
        column += word.size();
    }
    return out;
}

/// Text as roff shows it unchanged: no escapes, no requests, hyphens that can be copied.
std::string escape(std::string_view text) {
    std::string out;
    bool line_start = true;
    for (const char c : text) {
        if (line_start && (c == '.' || c == '\'')) {
            out += "\\&";
        }
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else {
            out += c;
        }
        line_start = c == '\n';
    }
    return out;
}

std::string header(std::string_view page) {
    return fmt::format(".TH {} 1 {} \"kiln {}\"\n", escape(upper(page)), kReleaseDate, kVersion);
}

std::string paragraph_text(std::string_view text) {
    std::string out;
    for (const std::string& paragraph : paragraphs(text)) {
        out += (out.empty() ? "" : ".PP\n") + escape(fold(paragraph)) + '\n';
    }
    return out;
}

std::string tagged(std::string_view heading, std::string_view text) {
    return fmt::format(".TP\n\\fB{}\\fR\n{}\n", escape(heading), escape(fold(text)));
}

std::string option_section(std::string_view title, std::span<const OptionSpec> options) {
    std::string out = fmt::format(".SH {}\n", title);
    for (const OptionSpec& option : options) {
        out += tagged(option_heading(option), option_text(option));
    }
    return out;
}

std::string example_section(std::span<const Example> examples) {
    std::string out = ".SH EXAMPLES\n";
    for (const Example& example : examples) {
        out += tagged(example.line, example.does);
    }
    return out;
}

std::string exit_section() {
    std::string out = ".SH EXIT STATUS\n";
    for (const ExitCodeDoc& doc : exit_code_docs()) {
        out += tagged(std::to_string(static_cast<int>(doc.code)), doc.meaning);
    }
    return out;
}

std::string dashed(std::string_view name) {
    std::string out(name);
    std::replace(out.begin(), out.end(), ' ', '-');
    return out;
}

} // namespace

std::string page_name(const CommandSpec& command) {
    return fmt::format("kiln-{}.1", dashed(command.name));
}

std::string overview_page() {
    std::string out = header("kiln");
    out += ".SH NAME\nkiln \\- build reproducible Debian images\n.SH SYNOPSIS\n\\fBkiln\\fR "
           "COMMAND [OPTION...] [ARGUMENT...]\n.SH DESCRIPTION\n";
    out += paragraph_text("kiln builds golden images of Debian systems. It turns a recipe (YAML) "
                          "and its lock, offline, into a bootable disk image and an OCI container "
                          "image that are bit-for-bit identical on every rebuild.\n");
    out += example_section(first_examples());
    out += ".SH COMMANDS\n";
    std::string see;
    for (const CommandSpec* command : all_commands()) {
        if (command->hidden) {
            continue;
        }
        out += tagged(command->name, command->summary);
        see += fmt::format(
            "{}.BR kiln\\-{} (1)", see.empty() ? "" : " ,\n", escape(dashed(command->name)));
    }
    out += option_section("OPTIONS", global_option_specs());
    return out + exit_section() + ".SH SEE ALSO\n" + see + '\n';
}

std::string page_of(const CommandSpec& command) {
    const std::string page = "kiln-" + dashed(command.name);
    std::string out = header(page);
    out += fmt::format(
        ".SH NAME\n{} \\- {}\n.SH SYNOPSIS\n\\fB{}\\fR\n",
        escape(page),
        escape(command.summary),
        escape(usage_of(command)));
    out += ".SH DESCRIPTION\n" + paragraph_text(whole_description(command));
    out += example_section(command.examples);
    if (!command.positionals.empty()) {
        out += ".SH ARGUMENTS\n";
        for (const PositionalSpec& positional : command.positionals) {
            out += tagged(positional.name, positional.doc);
        }
    }
    if (!command.options.empty()) {
        out += option_section("OPTIONS", command.options);
    }
    out += option_section("GLOBAL OPTIONS", global_option_specs());
    return out + exit_section() + ".SH SEE ALSO\n.BR kiln (1)\n";
}

} // namespace kiln
