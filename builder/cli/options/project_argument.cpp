// SPDX-License-Identifier: MIT
#include "cli/options/project_argument.hpp"

#include "base/error.hpp"
#include "base/json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <ostream>

namespace kiln {

namespace {

nlohmann::ordered_json to_json(const Diagnostic& diagnostic) {
    return {
        {"severity", diagnostic.severity == Severity::error ? "error" : "warning"},
        {"file", diagnostic.pos.file ? diagnostic.pos.file->name : ""},
        {"line", diagnostic.pos.line},
        {"column", diagnostic.pos.column},
        {"length", diagnostic.pos.length},
        {"message", diagnostic.message},
        {"hint", diagnostic.hint}};
}

void write_faults(
    const fs::path& path, std::string_view noun, const Diagnostics& diags, std::ostream& out) {
    nlohmann::ordered_json faults = nlohmann::ordered_json::array();
    for (const Diagnostic& diagnostic : diags.all()) {
        faults.push_back(to_json(diagnostic));
    }
    nlohmann::ordered_json json{{noun, path.string()}, {"faults", std::move(faults)}};
    if (diags.omitted() > 0) {
        json["omitted"] = diags.omitted();
    }
    out << json_text(json) << '\n';
}

Project load_checked(const fs::path& file, Context& context) {
    Diagnostics diags;
    std::optional<Project> project = load_project(file, diags);
    require_no_faults(file, "project", diags, context);
    KILN_CHECK(project.has_value());
    project->shipped = shipped_folder(context.io.program);
    return std::move(*project);
}

std::optional<fs::path> project_file_at(const fs::path& folder, Context& context) {
    Diagnostics diags;
    std::optional<fs::path> file = find_project_file(folder, diags);
    report_diagnostics(diags, context.console);
    return file;
}

} // namespace

fs::path shipped_folder(const fs::path& program) {
    const fs::path here = program.parent_path();
    for (const fs::path& folder : {here.parent_path() / "share/kiln", here / "share/kiln"}) {
        if (fs::is_directory(folder)) {
            return folder;
        }
    }
    return {};
}

Project current_project(Context& context) {
    if (const auto file = project_file_at({}, context)) {
        return load_checked(*file, context);
    }
    Project project;
    project.shipped = shipped_folder(context.io.program);
    return project;
}

Project project_of(const fs::path& file, Context& context) {
    Project current = current_project(context);
    std::error_code error;
    const fs::path folder = fs::absolute(file, error).lexically_normal().parent_path();
    if (error) { // the current folder was removed; what is read there says so
        return current;
    }
    const auto nearest = project_file_at(folder, context);
    if (!nearest || fs::equivalent(*nearest, current.file, error)) {
        return current;
    }
    Project project = load_checked(*nearest, context);
    project.is_current = false;
    return project;
}

FoundDefinition
find_definition(DefinitionKind kind, const std::string& argument, Context& context) {
    if (!is_definition_name(argument)) {
        return {argument, project_of(argument, context)};
    }
    Project project = current_project(context);
    fs::path path = project.resolve(kind, argument);
    if (!fs::exists(path)) {
        const std::string_view noun = info_of(kind).noun;
        throw UsageError(fmt::format("{} '{}' not found", noun, path.string()))
            .with_hint(hint_for_missing(project, kind, argument));
    }
    return {std::move(path), std::move(project)};
}

void require_no_faults(
    const fs::path& path, std::string_view noun, const Diagnostics& diags, Context& context) {
    if (context.global.json && diags.has_errors()) {
        write_faults(path, noun, diags, context.io.out);
    } else {
        report_diagnostics(diags, context.console);
    }
    if (diags.has_errors()) {
        throw Error(
            fmt::format(
                "{} '{}' has {} error{}",
                noun,
                path.string(),
                diags.error_count(),
                diags.error_count() == 1 ? "" : "s"),
            ExitCode::invalid_recipe);
    }
}

void report_diagnostics(const Diagnostics& diags, Console& console) {
    if (!console.options().json) {
        console.raw(diags.render_all());
        return;
    }
    for (const Diagnostic& diagnostic : diags.all()) {
        console.message(
            diagnostic.severity == Severity::error ? Level::error : Level::warning,
            fmt::format("{}: {}", diagnostic.pos.to_string(), diagnostic.message));
    }
    if (diags.omitted() > 0) {
        console.message(Level::error, fmt::format("... and {} more", diags.omitted()));
    }
}

} // namespace kiln
