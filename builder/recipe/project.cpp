// SPDX-License-Identifier: MIT
#include "recipe/project.hpp"

#include "base/shell_word.hpp"
#include "base/text.hpp"
#include "recipe/source_spec.hpp"
#include "recipe/yaml/patterns.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace kiln {

namespace {

constexpr Field folder_field(DefinitionKind kind, std::string_view doc) {
    return {info_of(kind).key, &kPath, Need::optional, doc, info_of(kind).folder};
}

constexpr auto kFields = std::to_array<Field>({
    {"kiln", &kFormatVersion, Need::required, "version of this format: 1"},
    folder_field(DefinitionKind::recipe, "folder of the recipes"),
    folder_field(DefinitionKind::part, "folder of the parts"),
    folder_field(DefinitionKind::suite, "folder of the suites"),
    folder_field(DefinitionKind::image, "folder of the image definitions"),
    folder_field(DefinitionKind::bundle, "folder of the perl bundles"),
    folder_field(DefinitionKind::program, "folder of the programs"),
    {"results",
     &kPath,
     Need::optional,
     "folder of the results; each recipe has a folder there",
     kResultsFolder},
});
constexpr Shape kShape = object_of(kFields, "project");

/// Another user may have put it there to be found by whoever works below.
bool may_be_planted(const fs::path& file) {
    struct stat of_file{};
    struct stat of_folder{};
    if (::stat(file.c_str(), &of_file) != 0 ||
        ::stat(file.parent_path().c_str(), &of_folder) != 0) {
        return true;
    }
    const bool is_trusted = of_file.st_uid == ::geteuid() || of_file.st_uid == 0;
    return !is_trusted && (of_folder.st_mode & S_IWOTH) != 0;
}

void add_names(const fs::path& folder, std::vector<std::string>& names) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
        if (entry.path().extension() == ".yaml") {
            names.push_back(entry.path().stem().string());
        }
    }
}

} // namespace

bool is_definition_name(std::string_view text) {
    constexpr std::size_t kLongest = 128; // shorter than any file system's limit
    return !text.starts_with('.') && text.size() <= kLongest &&
           text.find('/') == std::string_view::npos && !text.ends_with(".yaml") &&
           !text.ends_with(".yml");
}

Project::Project(const fs::path& root) : results(root / kResultsFolder) {
    for (const DefinitionKindInfo& kind : kDefinitionKinds) {
        folders[static_cast<std::size_t>(kind.kind)] = root / kind.folder;
    }
}

fs::path
Project::resolve(DefinitionKind kind, const std::string& text, const fs::path& base_dir) const {
    if (!is_definition_name(text)) {
        return resolve_path(base_dir, text);
    }
    const std::string name = text + ".yaml";
    const fs::path own = folder(kind) / name;
    const fs::path with_kiln = shipped / info_of(kind).folder / name;
    std::error_code ignored;
    const bool take_shipped =
        !shipped.empty() && !fs::exists(own, ignored) && fs::exists(with_kiln, ignored);
    return take_shipped ? with_kiln : own;
}

std::vector<std::string> Project::names(DefinitionKind kind) const {
    std::vector<std::string> out;
    add_names(folder(kind), out);
    if (!shipped.empty()) {
        add_names(shipped / info_of(kind).folder, out);
    }
    std::ranges::sort(out);
    const auto repeated = std::ranges::unique(out);
    out.erase(repeated.begin(), repeated.end());
    return out;
}

std::string Project::word_of(DefinitionKind kind, const fs::path& path) const {
    const bool is_named =
        is_current && path.parent_path() == folder(kind) && path.extension() == ".yaml";
    return shell_word(is_named ? path.stem().string() : path.string());
}

std::string hint_for_missing(const Project& project, DefinitionKind kind, const std::string& name) {
    const std::vector<std::string> names = project.names(kind);
    const std::vector<std::string_view> known(names.begin(), names.end());
    if (std::string hint = did_you_mean(name, known); !hint.empty()) {
        return hint;
    }
    if (known.empty()) {
        return fmt::format("'{}' has no {}s", project.folder(kind).string(), info_of(kind).noun);
    }
    return fmt::format("available: {}", fmt::join(known, ", "));
}

std::optional<fs::path> find_project_file(const fs::path& folder, Diagnostics& diags) {
    fs::path spelled = folder;
    std::error_code gone;
    fs::path real = fs::absolute(folder.empty() ? "." : folder, gone).lexically_normal();
    if (gone) { // the current folder was removed
        return std::nullopt;
    }
    if (!real.has_filename()) { // "/a/b/." and "/a/b/" are "/a/b"
        real = real.parent_path();
    }
    while (true) {
        const fs::path file = spelled / kProjectFileName;
        std::error_code ignored;
        if (fs::exists(file, ignored)) {
            if (!may_be_planted(fs::absolute(file))) {
                return file;
            }
            diags.warning(
                {std::make_shared<SourceFile>(SourceFile{file.string(), ""})},
                fmt::format(
                    "'{}' is ignored: it belongs to another user, in a folder that all users "
                    "can write to",
                    file.string()));
        }
        if (real == real.root_path()) {
            return std::nullopt;
        }
        real = real.parent_path();
        spelled = spelled.is_absolute() ? real : spelled / "..";
    }
}

std::optional<Project> load_project(const fs::path& file, Diagnostics& diags) {
    const std::size_t faults = diags.error_count();
    const std::optional<YamlNode> tree = load_yaml(file, diags);
    if (!tree) {
        return std::nullopt;
    }
    const Value value = validate(*tree, kShape, diags);
    if (diags.error_count() > faults) {
        return std::nullopt;
    }
    const fs::path root = file.parent_path();
    Project project(root);
    project.file = file;
    for (const DefinitionKindInfo& kind : kDefinitionKinds) {
        if (const Value* folder = value.find(kind.key)) {
            project.folders[static_cast<std::size_t>(kind.kind)] =
                resolve_path(root, folder->as_string());
        }
    }
    if (const Value* results = value.find("results")) {
        project.results = resolve_path(root, results->as_string());
    }
    return project;
}

const Shape& project_shape() {
    return kShape;
}

nlohmann::ordered_json project_schema() {
    return schema_of(kShape, "kiln project");
}

} // namespace kiln
