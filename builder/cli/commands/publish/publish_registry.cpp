// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/options/project_argument.hpp"
#include "cli/options/registry_options.hpp"
#include "cli/options/results_argument.hpp"
#include "publish/registry/push_image.hpp"
#include "publish/registry/registry_dry_run.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <ostream>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

constexpr PositionalSpec kReferencePositional{
    .name = "REF", .doc = "HOST[:PORT]/NAME[:TAG] in a registry; without a tag 'latest'"};
constexpr OptionSpec kTagOption{
    .name = "--tag", .value = "TAG", .doc = "a further tag for the same image", .repeatable = true};
constexpr auto kFormats =
    std::to_array<std::string_view>({"oci", "docker", "qcow2", "raw", "raw.gz", "raw.zst"});
constexpr OptionSpec kFormatOption{
    .name = "--format",
    .value = "FORMAT",
    .doc = "which of the results to push; otherwise the container image if there is one",
    .choices = kFormats};
constexpr OptionSpec kDiskOption{
    .name = "--disk",
    .doc = "push the disk as well, as an artifact that refers to the container image"};
constexpr OptionSpec kRefNameOption{
    .name = "--ref-name", .value = "NAME", .doc = "which image of a layout that holds several"};
constexpr OptionSpec kMountFromOption{
    .name = "--mount-from",
    .value = "NAME",
    .doc = "a repository of the same registry that may have some of the blobs already",
    .repeatable = true};
constexpr OptionSpec kChunkSizeOption{
    .name = "--chunk-size",
    .value = "SIZE",
    .doc = "upload in pieces of this size, such as 16MiB; otherwise each blob in one request"};
constexpr OptionSpec kDryRunOption{
    .name = "--dry-run", .doc = "print the requests; send those only that change nothing"};

constexpr auto kExamples = std::to_array<Example>({
    {"kiln publish registry pause registry.example/me/pause:1.0",
     "pushes the container image of the last bake"},
    {"kiln publish registry pause registry.example/me/pause:1.0 --tag latest", "gives it two tags"},
    {"kiln publish registry pause registry.example/me/pause:1.0 --disk",
     "pushes the disk beside it, for 'kiln pull ... --disk'"},
    {"kiln publish registry pause.qcow2 registry.example/me/pause:1.0-disk", "pushes a disk alone"},
    {"kiln publish registry pause registry.example/me/pause:1.0 --dry-run",
     "shows what would be sent"},
});
constexpr std::array kOptions{
    kTagOption,
    kFormatOption,
    kDiskOption,
    kRefNameOption,
    kMountFromOption,
    kChunkSizeOption,
    kTransfersOption,
    kDryRunOption};
constexpr std::array kPositionals{kResultsPositional, kReferencePositional};

std::vector<std::string> tags_of(const RegistryReference& reference, const Arguments& arguments) {
    if (reference.digest) {
        throw UsageError("a digest cannot be chosen: give HOST[:PORT]/NAME[:TAG]");
    }
    std::vector<std::string> tags{reference.tag.empty() ? "latest" : reference.tag};
    for (const std::string& tag : arguments.values(kTagOption.name)) {
        // A reference made of it is parsed by the same rules.
        if (parse_registry_reference(reference.repository.to_string() + ":" + tag).tag != tag) {
            throw UsageError(fmt::format("'{}' is not a valid tag", excerpt(tag)));
        }
        if (std::find(tags.begin(), tags.end(), tag) == tags.end()) {
            tags.push_back(tag);
        }
    }
    return tags;
}

/// NAME, or HOST/NAME of the same host.
std::vector<std::string>
mounts_of(const RegistryRepository& repository, const Arguments& arguments) {
    std::vector<std::string> out;
    for (std::string name : arguments.values(kMountFromOption.name)) {
        if (name.starts_with(repository.host + "/")) {
            name.erase(0, repository.host.size() + 1);
        }
        const RegistryReference parsed =
            parse_registry_reference(fmt::format("{}/{}", repository.host, name));
        if (!parsed.tag.empty() || parsed.digest) {
            throw UsageError(fmt::format("'--mount-from {}': without a tag", excerpt(name)));
        }
        out.push_back(parsed.repository.name);
    }
    return out;
}

std::uint64_t chunk_size_of(const Arguments& arguments) {
    const auto text = arguments.value(kChunkSizeOption.name);
    if (!text) {
        return 0;
    }
    constexpr std::uint64_t kLeast = std::uint64_t{64} << 10U;
    const auto size = parse_size(*text);
    if (!size || *size < kLeast) {
        throw UsageError(fmt::format(
            "'--chunk-size {}': expected a size of at least 64KiB, such as 16MiB", excerpt(*text)));
    }
    return *size;
}

Json json_of(const PushReport& report, const std::vector<std::string>& tags) {
    return {
        {"digest", report.digest.to_string()},
        {"tags", tags},
        {"blobs",
         {{"present", report.there}, {"mounted", report.mounted}, {"uploaded", report.uploaded}}},
        {"bytes", report.bytes},
        {"bytes_sent", report.bytes_sent}};
}

struct Pushed {
    std::vector<std::string> tags;
    PushReport image;
    std::optional<PushReport> disk; ///< beside a container image
};

Pushed push_all(
    RegistryClient& registry,
    const ImageResults& results,
    RegistryPush push,
    const Arguments& arguments,
    Context& context) {
    const std::string ref_name = arguments.value_or(kRefNameOption.name, "");
    Pushed out{push.tags, {}, std::nullopt};
    if (!results.container) {
        out.image = push_image(
            registry,
            open_disk(results.disk->path, results.disk->format, std::nullopt),
            push,
            context.console);
        return out;
    }
    const OutgoingImage container = open_container(results.container->path, ref_name);
    out.image = push_image(registry, container, push, context.console);
    if (arguments.flag(kDiskOption.name)) {
        const OciDescriptor subject = container.graph.root().descriptor();
        push.tags.clear();
        push.subject = subject.digest;
        out.disk = push_image(
            registry,
            open_disk(results.disk->path, results.disk->format, subject),
            push,
            context.console);
    }
    return out;
}

void require_both(const ImageResults& results, const Arguments& arguments) {
    if (arguments.flag(kDiskOption.name) && (!results.container || !results.disk)) {
        throw UsageError(fmt::format(
                             "--disk: there is no {} in '{}'",
                             results.container ? "disk" : "container image",
                             results.shown))
            .with_hint("--disk needs a folder of results with both forms of an image");
    }
}

void print_result(
    const Pushed& pushed,
    const RegistryRepository& repository,
    const RequestList* requests,
    Context& context) {
    if (context.global.json) {
        Json json = json_of(pushed.image, pushed.tags);
        json["repository"] = repository.to_string();
        if (pushed.disk) {
            json["disk"] = json_of(*pushed.disk, {});
        }
        json["dry_run"] = requests != nullptr;
        if (requests != nullptr) {
            json["requests"] = requests->json();
        }
        context.io.out << json_text(json) << '\n';
        return;
    }
    if (requests != nullptr) {
        requests->print(context.io.out);
        return;
    }
    for (const std::string& tag : pushed.tags) {
        context.io.out << fmt::format(
            "{}:{}@{}\n", repository.to_string(), tag, pushed.image.digest.to_string());
    }
    if (pushed.disk) {
        context.io.out << fmt::format(
            "{}@{}\n", repository.to_string(), pushed.disk->digest.to_string());
    }
}

ExitCode run(const Arguments& arguments, Context& context) {
    const RegistryReference reference =
        parse_registry_reference(arguments.positional(kReferencePositional.name));
    const auto format = arguments.value(kFormatOption.name);
    const ImageResults results = find_results(
        arguments.positional(kResultsPositional.name),
        format ? find_image_format(*format) : std::nullopt,
        current_project(context).results);
    require_both(results, arguments);
    const bool is_dry = arguments.flag(kDryRunOption.name);
    RegistryPush push{
        .tags = tags_of(reference, arguments),
        .mount_from = mounts_of(reference.repository, arguments),
        .chunk_bytes = chunk_size_of(arguments),
        // One after the other: the list is then in an order that a reader understands.
        .jobs = is_dry ? 1 : transfers_of(arguments)};
    const InputServices services(context);
    const InputContext in = services.context();
    RequestList requests([](std::string_view method, std::string_view url) {
        return !changes_registry(method, url);
    });
    DryRunHttpClient dry(in.http, pretend_registry);
    TracedHttpClient listed(
        dry, shown_parameters(), [&](const TracedRequest& request) { requests.add(request); });
    const auto real = with_debug_messages(in.http, context.console);
    RegistryClient registry = registry_client(
        is_dry ? static_cast<HttpClient&>(listed) : *real, reference.repository, context);
    const Pushed pushed = push_all(registry, results, std::move(push), arguments, context);
    print_result(pushed, reference.repository, is_dry ? &requests : nullptr, context);
    return ExitCode::ok;
}

} // namespace

const CommandSpec kPublishRegistryCommand{
    .name = "publish registry",
    .summary = "push an image to a container registry",
    .description =
        "Pushes a container image, or a disk as an OCI artifact, to any registry that speaks the "
        "OCI distribution protocol, and prints its reference by digest. What the registry has "
        "already is not sent again; a layout with images for several platforms is pushed as an "
        "index.\n"
        "\n"
        "With --disk both forms of an image are under one name: the disk refers to the container "
        "image, and 'kiln pull REF --disk' finds it.\n"
        "\n"
        "Requests are repeated when the registry is busy or a connection breaks. Nothing appears "
        "under a tag before all of it is there.",
    .also = kRegistryLoginHelp,
    .examples = kExamples,
    .options = kOptions,
    .positionals = kPositionals,
    .run = run};

} // namespace kiln
