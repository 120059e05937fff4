// SPDX-License-Identifier: MIT
#include "cli/version.hpp"

#include "base/json.hpp"
#include "cli/commands.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <ostream>

namespace kiln {

namespace {

constexpr auto kExamples = std::to_array<Example>({
    {"kiln version", "print name and version"},
    {"kiln version --json", "print them as JSON"},
});

ExitCode run(const Arguments&, Context& context) {
    if (context.global.json) {
        const nlohmann::ordered_json json{{"name", "kiln"}, {"version", kVersion}};
        context.io.out << json_text(json) << '\n';
    } else {
        context.io.out << "kiln " << kVersion << '\n';
    }
    return ExitCode::ok;
}

} // namespace

const CommandSpec kVersionCommand{
    .name = "version",
    .summary = "show the version",
    .description = "Prints the version of kiln.",
    .examples = kExamples,
    .run = run};

} // namespace kiln
