// SPDX-License-Identifier: MIT
#include "recipe/artifacts/program.hpp"

#include "base/error.hpp"
#include "recipe/merge.hpp"
#include "recipe/recipe_shape.hpp"
#include "recipe/yaml/yaml.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace kiln {

namespace {

std::map<std::string, SourceSpec>
read_sources(const Value& value, const fs::path& base_dir, Diagnostics& diags) {
    std::map<std::string, SourceSpec> out;
    const Value* sources = value.find("sources");
    if (sources == nullptr) {
        return out;
    }
    for (const Member& member : sources->members()) {
        SourceSpec source = read_source(member.key, member.value, base_dir);
        check_source(source, diags);
        if (const auto* folder = std::get_if<DirectorySource>(&source.from)) {
            std::error_code unreadable; // too long, in a circle or out of reach
            if (!fs::exists(folder->path, unreadable)) {
                diags.error(
                    member.value.pos(),
                    fmt::format("directory '{}' not found", folder->path.string()));
            }
        }
        out.emplace(member.key, std::move(source));
    }
    return out;
}

} // namespace

const Shape& program_shape() {
    static const Shape kSources = map_of(kNamePattern, &source_or_path_shape());
    static const auto kFields = std::to_array<Field>({
        {"kiln", &kFormatVersion, Need::required, "version of this format: 1"},
        {"program", &kName, Need::required, "name of the program"},
        {"summary", &kLine, Need::optional, "one-line description"},
        kArchitectureField,
        {"archives",
         &archives_shape(),
         Need::required,
         "apt archives for the packages of the build root"},
        {"build", &build_shape(), Need::required, "the build root"},
        {"sources",
         &kSources,
         Need::optional,
         "[sources](recipe.md#sources), available to the script as `$SOURCE/NAME`; a plain path is "
         "a directory, relative to this file"},
        {"script",
         &kText,
         Need::required,
         "script for /bin/sh that builds the artifact and installs it into `$OUT`"},
    });
    static const Shape kShape = object_of(kFields, "program");
    return kShape;
}

nlohmann::ordered_json program_schema() {
    return schema_of(program_shape(), "kiln program");
}

std::optional<ProgramSpec> load_program(const fs::path& path, Diagnostics& diags) {
    const std::optional<YamlNode> tree = load_yaml(path, diags);
    if (!tree) {
        return std::nullopt;
    }
    const Value value = validate(*tree, program_shape(), diags);
    if (diags.has_errors()) {
        return std::nullopt;
    }
    const fs::path base_dir = path.parent_path();
    ProgramSpec out;
    out.name = value.at("program").as_string();
    out.summary = value.string_or_empty("summary");
    merge_build_root(out.root, value, base_dir);
    out.sources = read_sources(value, base_dir, diags);
    out.script = value.at("script").as_string();
    out.file = path;
    if (diags.has_errors()) {
        return std::nullopt;
    }
    return out;
}

} // namespace kiln
