// SPDX-License-Identifier: MIT
//
// Projects: which folders the names in recipes and on command lines mean. A file kiln.yaml, at or
// above the current folder, names them; without one, the defaults below the current folder hold.
#pragma once

#include "recipe/yaml/shape.hpp"

#include <nlohmann/json_fwd.hpp>

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

namespace fs = std::filesystem;

/// The kinds of files that may be given by a name instead of a path.
enum class DefinitionKind { recipe, part, suite, image, bundle, program };

struct DefinitionKindInfo {
    DefinitionKind kind;
    std::string_view noun;   ///< for messages
    std::string_view key;    ///< in kiln.yaml
    std::string_view folder; ///< default below the project's folder; always below the shipped one
};

/// One row for each kind, in the order of the enumeration.
inline constexpr auto kDefinitionKinds = std::to_array<DefinitionKindInfo>({
    {DefinitionKind::recipe, "recipe", "recipes", "recipes"},
    {DefinitionKind::part, "part", "parts", "recipes/parts"},
    {DefinitionKind::suite, "suite", "suites", "recipes/accept"},
    {DefinitionKind::image, "image definition", "images", "images"},
    {DefinitionKind::bundle, "bundle", "bundles", "perl-bundle"},
    {DefinitionKind::program, "program", "programs", "recipes/programs"},
});

[[nodiscard]] constexpr const DefinitionKindInfo& info_of(DefinitionKind kind) {
    return kDefinitionKinds[static_cast<std::size_t>(kind)];
}

/// Default of `results`, below the project's folder.
inline constexpr std::string_view kResultsFolder = "out";

inline constexpr std::string_view kProjectFileName = "kiln.yaml";

/// True when `text` is a name and not a path: it has no '/', does not start with
/// '.' or end in .yaml or .yml, and is
/// at most 128 bytes long.
[[nodiscard]] bool is_definition_name(std::string_view text);

struct Project {
    fs::path file; ///< kiln.yaml; empty: there is none
    /// It is the project of the current folder, so that its definitions can be named there.
    bool is_current = true;
    /// By kind, in the order of the enumeration; relative to the current folder or absolute.
    std::array<fs::path, kDefinitionKinds.size()> folders;
    fs::path results = kResultsFolder; ///< where a recipe's images go, in a folder with its name
    fs::path shipped; ///< the folder of the definitions that come with kiln; empty: none

    /// The defaults below `root`.
    explicit Project(const fs::path& root = {});

    [[nodiscard]] const fs::path& folder(DefinitionKind kind) const {
        return folders[static_cast<std::size_t>(kind)];
    }

    /// The file that `text` means: a path relative to `base_dir`, or a name in the project's
    /// folder for the kind, then among the shipped definitions. A name that neither has gives the
    /// path that it would have in the project.
    [[nodiscard]] fs::path
    resolve(DefinitionKind kind, const std::string& text, const fs::path& base_dir = {}) const;

    /// The names that resolve() finds, sorted.
    [[nodiscard]] std::vector<std::string> names(DefinitionKind kind) const;

    /// How a command in the current folder is given this file: its name where that is enough.
    [[nodiscard]] std::string word_of(DefinitionKind kind, const fs::path& path) const;
};

/// "did you mean 'x'?", or the names that there are; for messages about a name that is missing.
[[nodiscard]] std::string
hint_for_missing(const Project& project, DefinitionKind kind, const std::string& name);

/// kiln.yaml in `folder` or the nearest folder above it, spelled relative to the current folder
/// where `folder` is. A file that another user could have put there (not the caller's or root's,
/// in a folder that everybody can write to) is passed over, and said in `diags`.
[[nodiscard]] std::optional<fs::path> find_project_file(const fs::path& folder, Diagnostics& diags);

/// Reads `file`. Faults go to `diags`; nothing is returned when there is any.
[[nodiscard]] std::optional<Project> load_project(const fs::path& file, Diagnostics& diags);

/// The keys of kiln.yaml, for schemas and documentation.
[[nodiscard]] const Shape& project_shape();

/// JSON Schema of kiln.yaml.
[[nodiscard]] nlohmann::ordered_json project_schema();

} // namespace kiln
