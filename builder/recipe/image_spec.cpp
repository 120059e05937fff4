// SPDX-License-Identifier: MIT
#include "recipe/image_spec.hpp"

#include "base/text.hpp"
#include "recipe/yaml/patterns.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <string_view>

namespace kiln {

namespace {

constexpr std::uint64_t kMiB = 1ULL << 20U;

constexpr Shape kFormat = choice_of(kDiskFormatNames);
constexpr Shape kFormatList = list_of(&kFormat, false);
constexpr auto kDiskKinds = std::to_array<std::string_view>({"disk"});
constexpr Shape kDiskKind = choice_of(kDiskKinds);
constexpr Shape kLabel = text_like(kVolumeLabelPattern);
/// FAT32 does not go below about 33 MiB.
constexpr Shape kEspSize{
    .kind = ShapeKind::size,
    .minimum = static_cast<std::int64_t>(34 * kMiB),
    .maximum = static_cast<std::int64_t>(4096 * kMiB)};

constexpr auto kDiskFields = std::to_array<Field>({
    {"kiln", &kFormatVersion, Need::required, "version of this format: 1"},
    {"image", &kName, Need::required, "name of the image, unique in a recipe"},
    {"kind", &kDiskKind, Need::required, "a bootable disk"},
    {"format", &kFormatList, Need::optional, "files to write", "[qcow2]"},
    {"free", &kSize, Need::optional, "free space in the root file system", "512MiB"},
    {"esp", &kEspSize, Need::optional, "size of the EFI system partition", "64MiB"},
    {"label", &kLabel, Need::optional, "label of the root file system", "root"},
    {"compress", &kBoolean, Need::optional, "compress the qcow2 image", "true"},
});
constexpr Shape kDiskShape = object_of(kDiskFields, "disk image");

constexpr Shape kEnvironment = map_of(kEnvironmentNamePattern, &kTextOrEmpty);
constexpr Shape kLabels = map_of(kLabelNamePattern, &kTextOrEmpty);
constexpr Shape kPorts = list_of(&kPort);
constexpr Shape kPaths = list_of(&kAbsolutePath);
constexpr Shape kUserSpec = text_like(kUserSpecPattern);
constexpr Shape kSignal = text_like(kSignalPattern);
constexpr Shape kCommandLine = list_of(&kTextOrEmpty, false);
constexpr Shape kRetries = integer_between(1, 1000);

constexpr auto kHealthcheckFields = std::to_array<Field>({
    {"test",
     &kCommandLine,
     Need::required,
     "`[CMD, PROGRAM, ARGUMENT...]`, `[CMD-SHELL, LINE]` or `[NONE]`"},
    {"interval",
     &kDuration,
     Need::optional,
     "time between checks",
     {},
     "the container engine's default"},
    {"timeout",
     &kDuration,
     Need::optional,
     "time after which a check fails",
     {},
     "the container engine's default"},
    {"retries",
     &kRetries,
     Need::optional,
     "consecutive failures until the container is unhealthy",
     {},
     "the container engine's default"},
    {"start_period",
     &kDuration,
     Need::optional,
     "start-up time in which failures are ignored",
     {},
     "none"},
});
constexpr Shape kHealthcheck = object_of(kHealthcheckFields, "healthcheck");

/// The defaults are those of container engines: an image says nothing of what is not given.
constexpr auto kConfigFields = std::to_array<Field>({
    {"entrypoint", &kCommandLine, Need::optional, "entry point: program and first arguments"},
    {"cmd", &kTextList, Need::optional, "default arguments, replaced by those of `docker run`"},
    {"env", &kEnvironment, Need::optional, "environment variables"},
    {"ports", &kPorts, Need::optional, "exposed ports, such as 8080 or 53/udp"},
    {"volumes", &kPaths, Need::optional, "directories to mount as volumes"},
    {"workdir", &kAbsolutePath, Need::optional, "working directory", "/"},
    {"user", &kUserSpec, Need::optional, "user or user:group, by name or number", "root"},
    {"labels", &kLabels, Need::optional, "labels"},
    {"stop_signal", &kSignal, Need::optional, "signal that stops the container", "SIGTERM"},
    {"healthcheck", &kHealthcheck, Need::optional, "health check"},
});
constexpr Shape kConfigShape = object_of(kConfigFields, "oci config");

constexpr auto kOciKinds = std::to_array<std::string_view>({"oci"});
constexpr Shape kOciKind = choice_of(kOciKinds);
constexpr auto kCompressions = std::to_array<std::string_view>({"gzip", "zstd", "none"});
constexpr Shape kCompression = choice_of(kCompressions);

constexpr Shape kContainerFormat = choice_of(kContainerFormatNames);
constexpr Shape kContainerFormatList = list_of(&kContainerFormat, false);

constexpr auto kOciFields = std::to_array<Field>({
    {"kiln", &kFormatVersion, Need::required, "version of this format: 1"},
    {"image", &kName, Need::required, "name of the image, unique in a recipe"},
    {"kind", &kOciKind, Need::required, "a container image"},
    {"format", &kContainerFormatList, Need::optional, "files to write", "[oci, docker]"},
    {"compression", &kCompression, Need::optional, "compression of the layers", "gzip"},
    {"config", &kConfigShape, Need::optional, "runtime configuration of the container"},
});
constexpr Shape kOciShape = object_of(kOciFields, "oci image");

std::map<std::string, std::string> read_map(const Value& value) {
    std::map<std::string, std::string> out;
    for (const Member& member : value.members()) {
        out[member.key] = member.value.as_string();
    }
    return out;
}

std::optional<std::int64_t> read_integer(const Value& object, std::string_view key) {
    const Value* value = object.find(key);
    return value == nullptr ? std::nullopt : std::optional(value->as_integer());
}

HealthcheckSpec read_healthcheck(const Value& value) {
    return {
        value.at("test").as_strings(),
        read_integer(value, "interval"),
        read_integer(value, "timeout"),
        read_integer(value, "start_period"),
        read_integer(value, "retries")};
}

std::vector<ImageFormat> read_formats(const Value& value) {
    std::vector<ImageFormat> out;
    for (const std::string& name : value.at("format").as_strings()) {
        out.push_back(find_image_format(name).value());
    }
    return out;
}

DiskImageSpec read_disk(const Value& value) {
    DiskImageSpec disk;
    disk.formats = read_formats(value);
    disk.free_bytes = static_cast<std::uint64_t>(value.at("free").as_integer());
    disk.esp_bytes = static_cast<std::uint64_t>(value.at("esp").as_integer());
    disk.label = value.at("label").as_string();
    disk.compress = value.at("compress").as_boolean();
    return disk;
}

OciImageSpec read_oci(const Value& value) {
    OciImageSpec oci{read_formats(value), value.at("compression").as_string(), {}};
    if (const Value* config = value.find("config")) {
        oci.config.apply(*config);
    }
    return oci;
}

/// The shape that the file's `kind` asks for; reports a fault when there is none.
const Shape* shape_by_kind(const YamlNode& tree, Diagnostics& diags) {
    static constexpr auto kKinds = std::to_array<std::string_view>({"disk", "oci"});
    if (tree.kind != YamlNode::Kind::map) {
        return &kDiskShape; // refused by any
    }
    const YamlNode* kind = tree.find("kind");
    if (kind == nullptr) {
        diags.error(
            tree.pos,
            "missing key 'kind' in image definition",
            "kind: 'disk' for a bootable disk, 'oci' for a container image");
        return nullptr;
    }
    if (kind->text == "disk") {
        return &kDiskShape;
    }
    if (kind->text == "oci") {
        return &kOciShape;
    }
    if (kind->kind != YamlNode::Kind::invalid) {
        diags.error(
            kind->pos,
            fmt::format("'kind' must be one of 'disk', 'oci', not '{}'", kind->text),
            did_you_mean(kind->text, kKinds));
    }
    return nullptr;
}

} // namespace

void OciConfigSpec::apply(const Value& config) {
    const auto take_list = [&](std::string_view key, std::vector<std::string>& target) {
        if (const Value* value = config.find(key)) {
            target = value->as_strings();
        }
    };
    const auto take_map = [&](std::string_view key, std::map<std::string, std::string>& target) {
        if (const Value* value = config.find(key)) {
            for (const auto& [name, text] : read_map(*value)) {
                target[name] = text;
            }
        }
    };
    take_list("entrypoint", entrypoint);
    take_list("cmd", cmd);
    take_list("ports", ports);
    take_list("volumes", volumes);
    take_map("env", env);
    take_map("labels", labels);
    config.copy_given("workdir", workdir);
    config.copy_given("user", user);
    config.copy_given("stop_signal", stop_signal);
    if (const Value* value = config.find("healthcheck")) {
        healthcheck = read_healthcheck(*value);
    }
}

const Shape& oci_config_shape() {
    return kConfigShape;
}

const Shape& disk_image_shape() {
    return kDiskShape;
}

const Shape& oci_image_shape() {
    return kOciShape;
}

std::optional<ImageSpec>
read_image(const YamlNode& tree, const fs::path& file, Diagnostics& diags) {
    const std::size_t faults = diags.error_count();
    const Shape* shape = shape_by_kind(tree, diags);
    if (shape == nullptr) {
        return std::nullopt;
    }
    const Value value = validate(tree, *shape, diags);
    if (diags.error_count() > faults) {
        return std::nullopt;
    }
    ImageSpec image{value.at("image").as_string(), {}, value.at("image").pos(), file};
    if (shape == &kDiskShape) {
        image.form = read_disk(value);
    } else {
        image.form = read_oci(value);
    }
    return image;
}

nlohmann::ordered_json image_schema() {
    static constexpr std::array<const Shape*, 2> kForms{&kDiskShape, &kOciShape};
    static constexpr Shape kImage = one_of(kForms, "image definition");
    return schema_of(kImage, "kiln image definition");
}

} // namespace kiln
