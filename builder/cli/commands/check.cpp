// SPDX-License-Identifier: MIT
#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/options/recipe_argument.hpp"
#include "cli/options/run_options.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <ostream>

namespace kiln {

namespace {

constexpr auto kExamples = std::to_array<Example>({
    {"kiln check pause", "check recipes/pause.yaml and every file that it references"},
    {"kiln check web.yaml --set release=trixie", "check it with another value of a variable"},
    {"kiln check web.yaml --json", "print errors for an editor: file, line, column, message"},
});

constexpr std::array kOptions{kSourceOption, kSetOption};
constexpr std::array kPositionals{kRecipePositional};

std::vector<std::string> names_of(const std::vector<StageSpec>& stages) {
    std::vector<std::string> out;
    for (const StageSpec& stage : stages) {
        out.push_back(stage.name);
    }
    return out;
}

std::string describe_source(const SourceSpec& source) {
    if (const auto* git = std::get_if<GitSource>(&source.from)) {
        constexpr std::size_t kShort = 12;
        return fmt::format("{} (git {})", source.name, git->commit.substr(0, kShort));
    }
    if (std::holds_alternative<DirectorySource>(source.from)) {
        return source.name + " (directory)";
    }
    return source.name + " (tarball)";
}

std::string describe_image(const ImageSpec& image) {
    if (const auto* disk = std::get_if<DiskImageSpec>(&image.form)) {
        std::vector<std::string_view> formats;
        for (const ImageFormat format : disk->formats) {
            formats.push_back(name_of(format));
        }
        return fmt::format("{} (disk: {})", image.name, fmt::join(formats, ", "));
    }
    return fmt::format(
        "{} (container: {})", image.name, std::get<OciImageSpec>(image.form).compression);
}

/// What the recipe has, by heading; headings without entries are left out when shown.
std::vector<std::pair<std::string, std::vector<std::string>>> summarize(const Recipe& recipe) {
    std::vector<std::string> archives;
    for (const ArchiveSpec& archive : recipe.archives) {
        archives.push_back(
            fmt::format("{} ({})", archive.archive, fmt::join(archive.suites, ", ")));
    }
    std::vector<std::string> sources;
    for (const auto& [name, source] : recipe.sources) {
        sources.push_back(describe_source(source));
    }
    std::vector<std::string> artifacts;
    for (const auto& [name, artifact] : recipe.artifacts) {
        artifacts.push_back(fmt::format(
            "{} ({} {})",
            name,
            artifact_kind_name(artifact.kind),
            artifact.definition.stem().string()));
    }
    std::vector<std::string> images;
    for (const ImageSpec& image : recipe.images) {
        images.push_back(describe_image(image));
    }
    std::vector<std::string> suites;
    if (!recipe.suite.empty()) {
        suites.push_back(recipe.suite.string());
    }
    std::vector<std::string> files;
    for (const fs::path& file : recipe.files) {
        files.push_back(file.string());
    }
    return {
        {"archives", std::move(archives)},
        {"sources", std::move(sources)},
        {"artifacts", std::move(artifacts)},
        {"stages", names_of(recipe.stages)},
        {"vm", names_of(recipe.vm_stages)},
        {"oci", names_of(recipe.oci_stages)},
        {"final", names_of(recipe.final_stages)},
        {"images", std::move(images)},
        {"accept", std::move(suites)},
        {"files", std::move(files)}};
}

ExitCode run(const Arguments& arguments, Context& context) {
    const Recipe recipe = load_recipe_argument(arguments, context);
    check_suite_of(recipe, context);
    const auto summary = summarize(recipe);
    std::ostream& out = context.io.out;
    if (context.global.json) {
        nlohmann::ordered_json json{
            {"recipe", recipe.files.front().string()},
            {"faults", nlohmann::ordered_json::array()},
            {"name", recipe.name},
            {"summary", recipe.summary}};
        for (const auto& [heading, entries] : summary) {
            json[heading] = entries;
        }
        out << json_text(json) << '\n';
        return ExitCode::ok;
    }
    out << fmt::format("{}{}{}\n", recipe.name, recipe.summary.empty() ? "" : ": ", recipe.summary);
    for (const auto& [heading, entries] : summary) {
        if (!entries.empty()) {
            out << fmt::format("  {:<9} {}\n", heading, join(entries, ", "));
        }
    }
    return ExitCode::ok;
}

} // namespace

const CommandSpec kCheckCommand{
    .name = "check",
    .summary = "parse and validate a recipe",
    .description =
        R"(Reads the recipe, the recipes that it extends, its parts, image definitions and acceptance
suite, and reports all errors with file, line and column. Nothing is downloaded or built.

Prints a short summary of a valid recipe.)",
    .examples = kExamples,
    .options = kOptions,
    .positionals = kPositionals,
    .run = run};

} // namespace kiln
