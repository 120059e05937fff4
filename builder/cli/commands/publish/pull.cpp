// SPDX-License-Identifier: MIT
#include "bake/output_folder.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/options/project_argument.hpp"
#include "cli/options/registry_options.hpp"
#include "publish/registry/pull_image.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <ostream>

namespace kiln {

namespace {

constexpr PositionalSpec kReferencePositional{
    .name = "REF",
    .doc = "HOST[:PORT]/NAME[:TAG][@sha256:DIGEST] in a registry; without both the tag 'latest'"};
constexpr OptionSpec kOutOption{
    .name = "--out",
    .value = "DIR",
    .doc = "output directory (default: NAME in the project's folder of results, where 'kiln run "
           "NAME' finds it)",
    .completes = Completes::directory};
constexpr OptionSpec kNameOption{
    .name = "--name",
    .value = "NAME",
    .doc = "what to call the image; otherwise the last part of REF's name"};
constexpr OptionSpec kDiskOption{
    .name = "--disk", .doc = "fetch the disk that was pushed with the container image"};
constexpr auto kFormats = std::to_array<std::string_view>({"oci", "docker"});
constexpr OptionSpec kFormatOption{
    .name = "--format",
    .value = "FORMAT",
    .doc = "write a container image as an OCI layout directory (oci, otherwise) or as an archive "
           "for 'docker load' (docker)",
    .choices = kFormats};
constexpr OptionSpec kPlatformOption{
    .name = "--platform",
    .value = "OS/ARCH",
    .doc = "which image of an index; otherwise linux/amd64"};
constexpr OptionSpec kAllPlatformsOption{
    .name = "--all-platforms", .doc = "fetch the index with all of its images"};
constexpr OptionSpec kReplaceOption{
    .name = "--replace", .doc = "replace an image of the same name that is there already"};

constexpr auto kExamples = std::to_array<Example>({
    {"kiln pull registry.example/me/pause:1.0", "fetch the container image pause.oci"},
    {"kiln pull registry.example/me/pause:1.0 --format docker",
     "writes an archive for 'docker load'"},
    {"kiln pull registry.example/me/pause:1.0 --disk", "fetch the disk pause.qcow2"},
    {"kiln pull registry.example/me/pause@sha256:4f5c... --out here",
     "takes exactly that image, or fails"},
});
constexpr std::array kOptions{
    kOutOption,
    kNameOption,
    kDiskOption,
    kFormatOption,
    kPlatformOption,
    kAllPlatformsOption,
    kReplaceOption,
    kTransfersOption};
constexpr std::array kPositionals{kReferencePositional};

/// A file's name and the argument of `kiln run`.
std::string name_of(const RegistryReference& reference, const Arguments& arguments) {
    const std::string& repository = reference.repository.name;
    std::string name =
        arguments.value_or(kNameOption.name, repository.substr(repository.rfind('/') + 1));
    if (name.empty() || name.starts_with('.') || name.find('/') != std::string::npos) {
        throw UsageError(fmt::format("'--name {}': not a valid name of a file", excerpt(name)));
    }
    return name;
}

RegistryPull
pull_of(const RegistryReference& reference, const Arguments& arguments, const fs::path& results) {
    const std::string name = name_of(reference, arguments);
    RegistryPull pull{
        .reference = reference.digest        ? reference.digest->to_string()
                     : reference.tag.empty() ? "latest"
                                             : reference.tag,
        .name = name,
        .out = arguments.value_or(kOutOption.name, (results / name).string())};
    pull.platform = arguments.value_or(kPlatformOption.name, pull.platform);
    pull.all_platforms = arguments.flag(kAllPlatformsOption.name);
    pull.disk = arguments.flag(kDiskOption.name);
    pull.docker_archive = arguments.value_or(kFormatOption.name, "oci") == "docker";
    pull.replace = arguments.flag(kReplaceOption.name);
    pull.jobs = transfers_of(arguments);
    pull.umask = own_umask();
    if (pull.all_platforms && pull.docker_archive) {
        throw UsageError("--all-platforms and --format docker are mutually exclusive");
    }
    return pull;
}

/// What people do with it next.
std::vector<std::string>
next_steps(const PulledImage& image, const RegistryPull& pull, const fs::path& results) {
    const bool is_default = pull.out == results / pull.name;
    const std::string what = is_default ? pull.name : image.path.string();
    switch (image.format) {
    case ImageFormat::docker:
        return {fmt::format("docker load -i {}", image.path.string())};
    case ImageFormat::oci:
        return {
            fmt::format("kiln run {} --docker", what),
            fmt::format(
                "skopeo copy oci:{} docker-daemon:{}:latest", image.path.string(), pull.name)};
    default:
        return {fmt::format("kiln run {} --vm", what)};
    }
}

ExitCode run(const Arguments& arguments, Context& context) {
    const RegistryReference reference =
        parse_registry_reference(arguments.positional(kReferencePositional.name));
    const fs::path results = current_project(context).results;
    const RegistryPull pull = pull_of(reference, arguments, results);
    const InputServices services(context);
    const InputContext in = services.context();
    prepare_out_folder(pull.out, services.cache(), context.console);
    const auto http = with_debug_messages(in.http, context.console);
    RegistryClient registry = registry_client(*http, reference.repository, context);
    const PulledImage image = pull_image(registry, pull, context.console);
    if (context.global.json) {
        const nlohmann::ordered_json json{
            {"repository", reference.repository.to_string()},
            {"reference", pull.reference},
            {"digest", image.digest.to_string()},
            {"path", image.path.string()},
            {"format", name_of(image.format)},
            {"bytes", image.bytes},
            {"was_there", image.was_there}};
        context.io.out << json_text(json) << '\n';
        return ExitCode::ok;
    }
    context.io.out << image.path.string() << '\n';
    if (image.was_there) {
        context.console.notice("it was there already");
    }
    if (info_of(image.format).runs) {
        for (const std::string& step : next_steps(image, pull, results)) {
            context.console.notice("next: " + step);
        }
    }
    return ExitCode::ok;
}

} // namespace

const CommandSpec kPullCommand{
    .name = "pull",
    .summary = "fetch an image from a container registry",
    .description =
        "Fetches a container image from a registry as an OCI layout directory, or a disk that "
        "'kiln publish registry' pushed, and prints where it is. Manifests and blobs are compared "
        "with their digests as they come; the image appears under its name when all of it is "
        "there and right, or not at all. Transfers that break off are resumed.\n"
        "\n"
        "Of an index the image for linux/amd64 is taken. With @sha256:DIGEST only that image is "
        "taken, whatever the tag says now.",
    .also = kRegistryLoginHelp,
    .examples = kExamples,
    .options = kOptions,
    .positionals = kPositionals,
    .run = run};

} // namespace kiln
