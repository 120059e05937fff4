// SPDX-License-Identifier: MIT
#include "recipe/recipe_shape.hpp"

#include "base/error.hpp"
#include "recipe/lint_exception.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace kiln {

namespace {

constexpr Shape kStages{.kind = ShapeKind::deferred, .name = "stages"};

constexpr Shape kVariables = map_of(kVariableNamePattern, &kTextOrEmpty);

constexpr Shape kArchiveUrl = text_like(kArchiveUrlPattern);
constexpr Shape kSuites = list_of(&kSuite, false);
constexpr Shape kComponent = text_like(kComponentPattern);
constexpr Shape kComponents = list_of(&kComponent, false);
constexpr auto kArchiveFields = std::to_array<Field>({
    {"archive",
     &kName,
     Need::required,
     "name of the archive, such as `debian` or `debian-security`"},
    {"suites", &kSuites, Need::required, "suites to install packages from"},
    {"components", &kComponents, Need::optional, "components of each suite", "[main]"},
    {"keyring",
     &kPath,
     Need::optional,
     "keyring that signs the archive, relative to the recipe",
     {},
     "the Debian archive keyring"},
    {"url",
     &kArchiveUrl,
     Need::optional,
     "URL of the archive, used if `--mirror`, KILN_MIRROR and the host's apt sources do not list "
     "it"},
    {"allow_expired",
     &kBoolean,
     Need::optional,
     "accept an archive whose Release file has expired, such as a snapshot",
     "false"},
});
constexpr Shape kArchive = object_of(kArchiveFields, "archive");
constexpr Shape kArchives = list_of(&kArchive, false);

constexpr Shape kPackageGlobs = list_of(&kPackageGlob, false);
/// apt_preferences(5) gives no bounds; apt keeps a signed 16-bit number, and 0 is undefined.
constexpr Shape kPriority = integer_between(-32768, 32767);
constexpr auto kPinFields = std::to_array<Field>({
    {"packages", &kPackageGlobs, Need::required, "package names or patterns"},
    {"suite", &kSuite, Need::required, "suite that the pin applies to"},
    {"priority",
     &kPriority,
     Need::required,
     "pin priority as in apt_preferences(5); a negative value prevents installation"},
});
constexpr Shape kPin = object_of(kPinFields, "pin");
constexpr Shape kPins = list_of(&kPin);

/// 0 is root; 65534 and 65535 are nobody and "no id".
constexpr Shape kId = integer_between(1, 65533);
constexpr Shape kIdMap = map_of(kUserNamePattern, &kId);
constexpr auto kIdsFields = std::to_array<Field>({
    {"users", &kIdMap, Need::optional, "uid by user name"},
    {"groups", &kIdMap, Need::optional, "gid by group name"},
});
constexpr Shape kIds = object_of(kIdsFields, "ids");

constexpr Shape kProcessCount = integer_between(16, 1'000'000);
constexpr Shape kFileCount = integer_between(1, 1'000'000'000'000);
constexpr auto kLimitFields = std::to_array<Field>({
    {"time", &kDuration, Need::optional, "time limit for each script", "1h"},
    {"output", &kSize, Need::optional, "output limit for each script", "64MiB"},
    {"memory",
     &kSize,
     Need::optional,
     "memory limit for all processes of a script",
     {},
     "three quarters of the machine's memory"},
    {"processes", &kProcessCount, Need::optional, "maximum number of processes", "8192"},
    {"disk",
     &kSize,
     Need::optional,
     "maximum size of the files that a stage writes to the cache",
     {},
     "90 % of the free space"},
    {"files",
     &kFileCount,
     Need::optional,
     "maximum number of files that a stage creates",
     {},
     "90 % of the free inodes"},
});
constexpr Shape kLimits = object_of(kLimitFields, "limits");

constexpr Field kRegistryField{
    "registry",
    &kRepository,
    Need::optional,
    "HOST[:PORT]/REPOSITORY to pull a prebuilt artifact from"};
constexpr auto kBundleFields = std::to_array<Field>({
    {"bundle",
     &kPath,
     Need::required,
     "definition of a perl bundle: a path relative to this file, or a name"},
    kRegistryField,
});
constexpr auto kProgramFields = std::to_array<Field>({
    {"program",
     &kPath,
     Need::required,
     "definition of a program: a path relative to this file, or a name"},
    kRegistryField,
});
constexpr Shape kBundleArtifact = object_of(kBundleFields, "perl bundle");
constexpr Shape kProgramArtifact = object_of(kProgramFields, "program");
constexpr std::array<const Shape*, 2> kArtifactForms{&kBundleArtifact, &kProgramArtifact};
constexpr Shape kArtifact = one_of(kArtifactForms, "artifact");
constexpr Shape kArtifacts = map_of(kNamePattern, &kArtifact);

/// A recipe's file, by the word that chooses it.
constexpr Shape kAlternativeRecipes = map_of(kNamePattern, &kPath);
constexpr Shape kAlternatives = map_of(kNamePattern, &kAlternativeRecipes);

constexpr auto kVmFields = std::to_array<Field>({
    {"stages", &kStages, Need::optional, "stages that run after the common ones, for disks only"},
});
constexpr Shape kVm = object_of(kVmFields, "vm");
constexpr auto kFinalFields = std::to_array<Field>({
    {"stages",
     &kStages,
     Need::optional,
     "stages that run after those of `vm` and `oci`, for every image"},
});
constexpr Shape kFinal = object_of(kFinalFields, "final");

constexpr Shape kImageFiles = list_of(&kPath);

constexpr auto kPartFields = std::to_array<Field>({
    {"kiln", &kFormatVersion, Need::required, "version of this format: 1"},
    {"part", &kName, Need::required, "name of the part"},
    {"variables",
     &kVariables,
     Need::optional,
     "default values of the variables that the part uses"},
    {"stages", &kStages, Need::required, "stages to insert"},
});
constexpr Shape kPartShape = object_of(kPartFields, "part");

constexpr auto kPartItemFields = std::to_array<Field>({
    {"part", &kPath, Need::required, "a part file, relative to this file"},
});
constexpr Shape kPartItem = object_of(kPartItemFields, "part item");

const Shape& oci_shape() {
    static const auto kFields = std::to_array<Field>({
        {"stages",
         &kStages,
         Need::optional,
         "stages that run after the common ones, for containers only"},
        {"config",
         &oci_config_shape(),
         Need::optional,
         "overrides of the container image definition's `config`"},
    });
    static const Shape kShape = object_of(kFields, "oci");
    return kShape;
}

const Shape& sources_shape() {
    static const Shape kShape = map_of(kNamePattern, &source_shape());
    return kShape;
}

const Shape& lint_shape() {
    static const Shape kRule = choice_of(lint_rule_names());
    static const auto kFields = std::to_array<Field>({
        {"allow", &kRule, Need::required, "rule name, see `kiln lint --rules`"},
        {"file",
         &kAbsolutePath,
         Need::required,
         "path of the file to allow; `*` matches any characters except `/`"},
        {"reason", &kLine, Need::required, "one-line reason for the exception"},
    });
    static const Shape kException = object_of(kFields, "lint exception");
    static const Shape kShape = list_of(&kException);
    return kShape;
}

nlohmann::ordered_json stages_schema(std::span<const StageShape> stages) {
    nlohmann::ordered_json kinds = nlohmann::ordered_json::array();
    kinds.push_back(subschema_of(kPartItem));
    for (const StageShape& stage : stages) {
        nlohmann::ordered_json kind = subschema_of(StageItemShape(stage).shape());
        kind["title"] = stage.kind;
        kind["description"] = stage.summary;
        // A ${VARIABLE} cannot choose the kind; a constant tells editors which one is meant.
        kind["properties"]["stage"] = {{"const", stage.kind}, {"description", stage.summary}};
        kinds.push_back(std::move(kind));
    }
    return {{"type", "array"}, {"items", {{"anyOf", std::move(kinds)}}}};
}

} // namespace

StageItemShape::StageItemShape(const StageShape& stage)
    : name_(fmt::format("stage '{}'", stage.kind)), kind_{stage.kind},
      kind_shape_(choice_of(kind_)) {
    fields_ = {
        {"stage", &kind_shape_, Need::required, "kind of the stage"},
        {"name", &kName, Need::optional, "name of the stage, unique in the recipe", stage.kind},
        {"layer",
         &kName,
         Need::optional,
         "label of an OCI layer; stages with the same label share one layer"},
    };
    KILN_CHECK(stage.options->kind == ShapeKind::object);
    for (const Field& field : stage.options->fields) {
        KILN_CHECK(
            std::find(kCommonStageKeys.begin(), kCommonStageKeys.end(), field.name) ==
                kCommonStageKeys.end() &&
            field.name != "part");
        fields_.push_back(field);
    }
    shape_ = object_of(fields_, name_);
}

const Shape& recipe_shape() {
    static const auto kFields = std::to_array<Field>({
        {"kiln", &kFormatVersion, Need::required, "version of this format: 1"},
        {"name", &kName, Need::required, "system name; used as the base name of all output files"},
        {"summary", &kLine, Need::optional, "one-line description"},
        {"extends",
         &kPath,
         Need::optional,
         "recipe to extend: a path relative to this file, or a name"},
        {"variables", &kVariables, Need::optional, "values for `${name}`"},
        kArchitectureField,
        {"archives", &kArchives, Need::optional, "apt archives to install packages from"},
        {"pins", &kPins, Need::optional, "apt pins"},
        {"ids", &kIds, Need::optional, "fixed user and group ids"},
        {"limits", &kLimits, Need::optional, "resource limits for scripts"},
        {"sources",
         &sources_shape(),
         Need::optional,
         "sources (directories, git commits, tarballs), by name"},
        {"alternatives",
         &kAlternatives,
         Need::optional,
         "for each source, alternatives for `--source NAME=WORD`: recipes, relative to this file, "
         "to use instead of this one"},
        {"artifacts", &kArtifacts, Need::optional, "artifacts (programs, perl bundles), by name"},
        {"stages", &kStages, Need::optional, "stages for every image, in order"},
        {"vm", &kVm, Need::optional, "stages for disks only"},
        {"oci", &oci_shape(), Need::optional, "stages and configuration for containers only"},
        {"final",
         &kFinal,
         Need::optional,
         "last stages of every image: use them for files that change often, so that no other stage "
         "has to run again"},
        {"images",
         &kImageFiles,
         Need::optional,
         "image definitions: paths relative to this file, or names"},
        {"lint",
         &lint_shape(),
         Need::optional,
         "exceptions from the lint rules that every bake enforces"},
        {"accept",
         &kPath,
         Need::optional,
         "acceptance suite for `kiln run` and `kiln accept`: a path relative to this file, or a "
         "name"},
    });
    static const Shape kShape = object_of(kFields, "recipe");
    return kShape;
}

const Shape& archives_shape() {
    return kArchives;
}

const Shape& part_shape() {
    return kPartShape;
}

const Shape& part_item_shape() {
    return kPartItem;
}

nlohmann::ordered_json recipe_schema(std::span<const StageShape> stages) {
    nlohmann::ordered_json out = schema_of(recipe_shape(), "kiln recipe");
    out["$defs"]["stages"] = stages_schema(stages);
    return out;
}

nlohmann::ordered_json part_schema(std::span<const StageShape> stages) {
    nlohmann::ordered_json out = schema_of(part_shape(), "kiln part");
    out["$defs"]["stages"] = stages_schema(stages);
    return out;
}

} // namespace kiln
