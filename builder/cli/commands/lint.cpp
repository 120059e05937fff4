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
    {"kiln lint images/out/pause/pause.qcow2", "looks for secrets and identities in a disk"},
    {"kiln lint web.oci --except authorized-keys:root/.ssh/authorized_keys", "lets one file pass"},
    {"kiln lint --rules", "lists the rules"},
});

constexpr std::array kOptions{
    OptionSpec{
        .name = "--except",
        .value = "RULE:PATH",
        .doc = "let this file break this rule",
        .repeatable = true},
    kImageFormatOption,
    OptionSpec{
        .name = "--word",
        .value = "TEXT",
        .doc = "also look for this word, such as the build host's name",
        .repeatable = true},
    OptionSpec{.name = "--rules", .doc = "list the rules and do nothing else"},
};

constexpr std::array kPositionals{image_positional(Count::optional)};

LintException parse_exception(const std::string& text) {
    const std::size_t colon = text.find(':');
    const std::span<const std::string_view> names = lint_rule_names();
    const std::string rule = text.substr(0, colon);
    if (std::find(names.begin(), names.end(), rule) == names.end()) {
        throw UsageError(fmt::format("'{}' is no rule of lint", rule))
            .with_hint(did_you_mean(rule, names))
            .with_hint("'kiln lint --rules' lists them");
    }
    if (colon == std::string::npos) {
        throw UsageError(fmt::format("--except takes RULE:PATH, not '{}'", text));
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
        throw UsageError("IMAGE is missing");
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
    .summary = "look for secrets and identities in an image",
    .description =
        "Looks for what no image may hold: keys, passwords, a machine-id, databases, histories, "
        "logs, leases and traces of the build. Any image will do, also one that kiln did not "
        "make.\n"
        "\n"
        "Ends with exit code 1 when there is a finding.",
    .examples = kExamples,
    .options = kOptions,
    .positionals = kPositionals,
    .run = run};

} // namespace kiln
