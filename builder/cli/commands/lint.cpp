// SPDX-License-Identifier: MIT
#include "verify/lint/lint.hpp"

#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/options/image_argument.hpp"
#include "verify/inspect/image_inspect.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <ostream>

namespace kiln {

namespace {

constexpr auto kExamples = std::to_array<Example>({
    {"kiln lint images/out/pause/pause.qcow2", "search a disk for secrets and machine identities"},
    {"kiln lint web.oci --except authorized-keys:root/.ssh/authorized_keys", "allow one file"},
    {"kiln lint --rules", "list the rules"},
});

constexpr std::array kOptions{
    OptionSpec{
        .name = "--except",
        .value = "RULE:PATH",
        .doc = "allow this file to violate this rule",
        .repeatable = true},
    kImageFormatOption,
    OptionSpec{
        .name = "--word",
        .value = "TEXT",
        .doc = "also search for this word, such as the name of the build host",
        .repeatable = true},
    OptionSpec{.name = "--rules", .doc = "list the rules and exit"},
};

constexpr std::array kPositionals{image_positional(Count::optional)};

LintException parse_exception(const std::string& text) {
    const std::size_t colon = text.find(':');
    const std::span<const std::string_view> names = lint_rule_names();
    const std::string rule = text.substr(0, colon);
    if (std::find(names.begin(), names.end(), rule) == names.end()) {
        throw UsageError(fmt::format("unknown lint rule '{}'", rule))
            .with_hint(did_you_mean(rule, names))
            .with_hint("run 'kiln lint --rules' for a list of rules");
    }
    if (colon == std::string::npos) {
        throw UsageError(fmt::format("invalid value '{}' (--except): expected RULE:PATH", text));
    }
    const std::string path = text.substr(colon + 1);
    return {rule, path.substr(std::min(path.find_first_not_of('/'), path.size()))};
}

ExitCode list_rules(Context& context) {
    nlohmann::ordered_json json;
    for (const LintRule& rule : lint_rules()) {
        if (context.global.json) {
            json[std::string(rule.name)] = rule.summary;
        } else {
            context.io.out << fmt::format("{:<16}  {}\n", rule.name, rule.summary);
        }
    }
    if (context.global.json) {
        context.io.out << json_text(json) << '\n';
    }
    return ExitCode::ok;
}

ExitCode run(const Arguments& arguments, Context& context) {
    if (arguments.flag("--rules")) {
        return list_rules(context);
    }
    const auto image = arguments.optional_positional("IMAGE");
    if (!image) {
        throw UsageError("missing argument IMAGE");
    }
    LintOptions options;
    options.builder_words = arguments.values("--word");
    for (const std::string& text : arguments.values("--except")) {
        options.exceptions.push_back(parse_exception(text));
    }
    const auto given = format_argument(arguments);
    const ImageFormat format = given ? *given : detect_image_format(*image);
    const FileTree tree = read_image_tree(*image, format, context.console);
    const auto findings = lint_tree(tree, options);
    if (context.global.json) {
        auto json = nlohmann::ordered_json::array();
        for (const LintFinding& finding : findings) {
            json.push_back(
                {{"rule", finding.rule},
                 {"path", valid_utf8(finding.path)},
                 {"why", valid_utf8(finding.why)}});
        }
        context.io.out << json_text(json) << '\n';
    } else {
        for (const std::string& line : describe_findings(findings, {})) {
            context.io.out << line << '\n';
        }
    }
    return findings.empty() ? ExitCode::ok : ExitCode::failed;
}

} // namespace

const CommandSpec kLintCommand{
    .name = "lint",
    .summary = "search an image for secrets and machine identities",
    .description =
        R"(Searches an image for content that must not be shipped: keys, passwords, a machine-id,
databases, history files, logs, leases and traces of the build. IMAGE can be any image, not only
one built by kiln.

Exits with 1 if there are findings.)",
    .examples = kExamples,
    .options = kOptions,
    .positionals = kPositionals,
    .run = run};

} // namespace kiln
