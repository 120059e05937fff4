// SPDX-License-Identifier: MIT
#include "base/json.hpp"
#include "cli/commands.hpp"
#include "cli/options/stage_table.hpp"
#include "recipe/artifacts/bundle.hpp"
#include "recipe/artifacts/program.hpp"
#include "recipe/project.hpp"
#include "run/suite.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <ostream>

namespace kiln {

namespace {

constexpr auto kExamples = std::to_array<Example>({
    {"kiln schema recipe > recipe.schema.json",
     "for an editor; add to the first line of the recipe: # yaml-language-server: "
     "$schema=recipe.schema.json"},
    {"kiln schema image", "print the schema of image definitions"},
});

constexpr auto kFiles = std::to_array<std::string_view>(
    {"recipe", "part", "image", "bundle", "program", "suite", "project"});
constexpr auto kPositionals = std::to_array<PositionalSpec>({
    {.name = "FILE", .doc = "kind of file", .choices = kFiles},
});

ExitCode run(const Arguments& arguments, Context& context) {
    const std::string& file = arguments.positional("FILE");
    const nlohmann::ordered_json schema = file == "recipe"    ? recipe_schema(stage_table())
                                          : file == "part"    ? part_schema(stage_table())
                                          : file == "bundle"  ? bundle_schema()
                                          : file == "program" ? program_schema()
                                          : file == "suite"   ? suite_schema()
                                          : file == "project" ? project_schema()
                                                              : image_schema();
    context.io.out << json_text(schema) << '\n';
    return ExitCode::ok;
}

} // namespace

const CommandSpec kSchemaCommand{
    .name = "schema",
    .summary = "print the JSON Schema of a kind of file",
    .description =
        R"(Prints a JSON Schema (draft 2020-12) that editors can use to complete and validate
recipes, parts, image definitions, perl bundles, programs and suites. It is generated from the
tables that 'kiln check' uses; 'kiln check' reports more errors, such as duplicate names.)",
    .examples = kExamples,
    .positionals = kPositionals,
    .run = run};

} // namespace kiln
