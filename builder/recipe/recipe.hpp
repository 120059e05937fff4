// SPDX-License-Identifier: MIT
//
// A recipe as typed values: what a system is made of, read from its file, those it extends, its
// parts and its image definitions. The kinds of stages are not known here; the caller gives their
// shapes. docs/recipe.md describes the format.
#pragma once

#include "base/io/digest.hpp"
#include "recipe/image_spec.hpp"
#include "recipe/lint_exception.hpp"
#include "recipe/project.hpp"
#include "recipe/source_spec.hpp"
#include "recipe/variables.hpp"
#include "recipe/yaml/architecture.hpp"
#include "sandbox/sandbox.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kiln {

/// What a kind of stage takes from elsewhere than its options, its own files and the tree.
enum class StageTakes {
    nothing,
    packages, ///< those that the lock has for it, for its option `install`
    source,   ///< the recipe's source that its option `source` names
    artifact, ///< the recipe's artifact that its option `artifact` names
    identity, ///< the identifiers of the image's disk
};

/// A kind of stage, as far as a recipe's reader has to know it.
struct StageShape {
    std::string_view kind;
    std::string_view summary;
    const Shape* options; ///< an object without the keys `stage`, `name`, `layer`, `part`
    StageTakes takes = StageTakes::nothing;
};

struct StageSpec {
    std::string kind;
    std::string name;  ///< unique in the recipe
    std::string layer; ///< label of the OCI layer it goes into; empty: not given
    Value options;     ///< as the kind's shape says
    SourcePos pos;
    fs::path base_dir;                      ///< what relative paths in the options start from
    StageTakes takes = StageTakes::nothing; ///< as its kind says
};

struct ArchiveSpec {
    std::string archive; ///< "debian", "debian-security" or another name that mirrors are given for
    std::vector<std::string> suites;
    std::vector<std::string> components;
    fs::path keyring; ///< absolute; empty: Debian's own
    SourcePos pos;
    std::string url = {};       ///< where it is, unless the user or the host say; may be empty
    bool allow_expired = false; ///< take Release files after their Valid-Until
};

/// An apt preference.
struct PinSpec {
    std::vector<std::string> packages; ///< names or globs
    std::string suite;
    std::int64_t priority = 0;
    SourcePos pos;
};

struct RecipeIds {
    std::map<std::string, std::uint32_t> users;
    std::map<std::string, std::uint32_t> groups;
};

/// A perl bundle (recipe/artifacts/bundle.hpp), or a program (recipe/artifacts/program.hpp).
enum class ArtifactKind { bundle, program };

/// "bundle" or "program": the key that names a definition, in recipes and in definitions.
[[nodiscard]] std::string_view artifact_kind_name(ArtifactKind kind);

/// What is built in a separate root and placed into the image by a stage `artifact`.
struct ArtifactSpec {
    std::string name;
    ArtifactKind kind = ArtifactKind::bundle;
    fs::path definition;
    std::string registry; ///< HOST[:PORT]/REPOSITORY that may have it built; empty: none
    SourcePos pos;
};

struct Recipe {
    Project project; ///< in which the names of other files were looked up
    std::string name;
    std::string summary;
    std::string architecture{kDefaultArchitecture};
    Variables variables; ///< with overrides
    Variables overrides; ///< those of LoadOptions::set that differ from what the files give
    std::vector<ArchiveSpec> archives;
    std::vector<PinSpec> pins;
    RecipeIds ids;
    SandboxLimits limits; ///< of what scripts may take; not part of any key
    std::map<std::string, SourceSpec> sources;
    /// Recipes to take instead, by source and by word for `--source NAME=WORD`.
    std::map<std::string, std::map<std::string, fs::path>> alternatives;
    std::map<std::string, ArtifactSpec> artifacts;
    std::vector<StageSpec> stages;       ///< of every image
    std::vector<StageSpec> vm_stages;    ///< after them, for disks
    std::vector<StageSpec> oci_stages;   ///< after them, for containers
    std::vector<StageSpec> final_stages; ///< after those of vm and oci, for every image
    std::vector<ImageSpec> images;
    std::vector<LintException> lint_exceptions;
    fs::path suite; ///< how its images run and what must hold then; empty: not given
    SourcePos suite_pos;
    /// Every file that was read: the recipe first, then those it extends, parts, definitions.
    std::vector<fs::path> files;
};

struct LoadOptions {
    Variables set; ///< overrides of variables
    std::span<const StageShape> stages;
    Project project = Project(); ///< where the names of other files are looked up
};

/// Reads the recipe at `path` and checks all of it. Faults go to `diags`; nothing is returned when
/// there is any. Throws SystemError when `path` itself cannot be read and UsageError when `set`
/// names a variable that the recipe does not have.
[[nodiscard]] std::optional<Recipe>
load_recipe(const fs::path& path, const LoadOptions& options, Diagnostics& diags);

/// "NAME=VALUE" as given to --set. Throws UsageError.
void add_override(Variables& set, std::string_view text);

/// The tables behind the format, for schemas and documentation.
[[nodiscard]] const Shape& recipe_shape();
[[nodiscard]] const Shape& part_shape();

/// JSON Schema of recipe files and of part files.
[[nodiscard]] nlohmann::ordered_json recipe_schema(std::span<const StageShape> stages);
[[nodiscard]] nlohmann::ordered_json part_schema(std::span<const StageShape> stages);

} // namespace kiln
