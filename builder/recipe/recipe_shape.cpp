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
    {"archive", &kName, Need::required, "`debian`, `debian-security` or another archive's name"},
    {"suites", &kSuites, Need::required, "suites to take packages from"},
    {"components", &kComponents, Need::optional, "components of each suite", "[main]"},
    {"keyring",
     &kPath,
     Need::optional,
     "file with the keys that may sign it, relative to the recipe's file",
     "Debian's own"},
    {"url",
     &kArchiveUrl,
     Need::optional,
     "where it is, for archives that `--mirror`, KILN_MIRROR and the host's apt do not name"},
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
    {"suite", &kSuite, Need::required, "the suite they are preferred (or refused) from"},
    {"priority", &kPriority, Need::required, "as in apt_preferences(5); below 0 refuses"},
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
    {"time", &kDuration, Need::optional, "how long one script may run", "1h"},
    {"output", &kSize, Need::optional, "how much one script may print", "64 MiB"},
    {"memory",
     &kSize,
     Need::optional,
     "what all processes of a script may use together",
     "three quarters of the machine's"},
    {"processes", &kProcessCount, Need::optional, "how many may run at the same time", "8192"},
    {"disk",
     &kSize,
     Need::optional,
     "what a stage may write to the cache",
     "nine tenths of what is free there"},
    {"files",
     &kFileCount,
     Need::optional,
     "how many files a stage may make",
     "nine tenths of what the cache can take"},
});
constexpr Shape kLimits = object_of(kLimitFields, "limits");

constexpr Field kRegistryField{
    "registry",
    &kRepository,
    Need::optional,
    "HOST[:PORT]/REPOSITORY that may have it built already"};
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
    {"stages", &kStages, Need::optional, "stages after the common ones, for disks only"},
});
constexpr Shape kVm = object_of(kVmFields, "vm");
constexpr auto kFinalFields = std::to_array<Field>({
    {"stages", &kStages, Need::optional, "stages after those of `vm` and `oci`, for every image"},
});
constexpr Shape kFinal = object_of(kFinalFields, "final");

constexpr Shape kImageFiles = list_of(&kPath);

constexpr auto kPartFields = std::to_array<Field>({
    {"kiln", &kFormatVersion, Need::required, "version of this format: 1"},
    {"part", &kName, Need::required, "name of the part"},
    {"variables", &kVariables, Need::optional, "defaults of variables that the part uses"},
    {"stages", &kStages, Need::required, "stages to insert"},
});
constexpr Shape kPartShape = object_of(kPartFields, "part");

constexpr auto kPartItemFields = std::to_array<Field>({
    {"part", &kPath, Need::required, "a part file, relative to this file"},
});
constexpr Shape kPartItem = object_of(kPartItemFields, "part item");

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
        {"layer", &kName, Need::optional, "stages with one label share an OCI layer"},
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
    static const auto kOciFields = std::to_array<Field>({
        {"stages", &kStages, Need::optional, "stages after the common ones, for containers only"},
        {"config",
         &oci_config_shape(),
         Need::optional,
         "overrides of the container image definition's `config`"},
    });
    static const Shape kOci = object_of(kOciFields, "oci");
    static const Shape kLintRule = choice_of(lint_rule_names());
    static const auto kLintFields = std::to_array<Field>({
        {"allow", &kLintRule, Need::required, "the rule, as `kiln lint --rules` lists them"},
        {"file",
         &kAbsolutePath,
         Need::required,
         "the file that may break it; `*` stands for any part of a name"},
        {"reason", &kLine, Need::required, "why, in one line, for whoever reads the recipe"},
    });
    static const Shape kLintException = object_of(kLintFields, "lint exception");
    static const Shape kLintExceptions = list_of(&kLintException);
    static const Shape kSources = map_of(kNamePattern, &source_shape());
    static const auto kFields = std::to_array<Field>({
        {"kiln", &kFormatVersion, Need::required, "version of this format: 1"},
        {"name", &kName, Need::required, "name of the system; results are called so"},
        {"summary", &kLine, Need::optional, "what it is, in one line"},
        {"extends",
         &kPath,
         Need::optional,
         "a recipe to start from: a path relative to this file, or a name"},
        {"variables", &kVariables, Need::optional, "texts for `${name}`"},
        {"architecture", &kArchitecture, Need::optional, "Debian architecture", "amd64"},
        {"archives", &kArchives, Need::optional, "where packages come from"},
        {"pins", &kPins, Need::optional, "preferences between suites"},
        {"ids", &kIds, Need::optional, "fixed user and group ids"},
        {"limits", &kLimits, Need::optional, "what scripts may take of the machine"},
        {"sources", &kSources, Need::optional, "source trees, by name"},
        {"alternatives",
         &kAlternatives,
         Need::optional,
         "by source, words for `--source NAME=WORD` and the recipes, relative to this file, that "
         "are taken instead of this one"},
        {"artifacts", &kArtifacts, Need::optional, "what is built beforehand, by name"},
        {"stages", &kStages, Need::optional, "what is done, in order, for every image"},
        {"vm", &kVm, Need::optional, "what only disks get"},
        {"oci", &kOci, Need::optional, "what only containers get"},
        {"final",
         &kFinal,
         Need::optional,
         "what every image gets last: settings that change often, so that a change runs nothing "
         "else"},
        {"images",
         &kImageFiles,
         Need::optional,
         "image definitions: paths relative to this file, or names"},
        {"lint",
         &kLintExceptions,
         Need::optional,
         "files that may break a rule of `kiln lint`, which every bake obeys"},
        {"accept",
         &kPath,
         Need::optional,
         "the suite of `kiln run` and `kiln accept`: a path relative to this file, or a name"},
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
