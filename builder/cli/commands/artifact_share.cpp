// SPDX-License-Identifier: MIT
#include "artifact/lookup/artifact_registry.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/options/artifact_argument.hpp"
#include "cli/options/enter_build.hpp"
#include "cli/options/input_options.hpp"
#include "cli/options/registry_options.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <ostream>

namespace kiln {

namespace {

constexpr PositionalSpec kRepositoryPositional{
    .name = "REPOSITORY", .doc = "registry repository, HOST[:PORT]/NAME"};
constexpr PositionalSpec kReferencePositional{
    .name = "REPOSITORY", .doc = "registry repository or digest, HOST[:PORT]/NAME[@sha256:DIGEST]"};

RegistryClient client_for(const RegistryReference& reference, const InputContext& in) {
    return RegistryClient(
        in.http,
        reference.repository,
        find_registry_credentials(reference.repository, in.env, in.processes));
}

ExitCode run_push(const Arguments& arguments, Context& context) {
    const ArtifactArgument argument = load_artifact_argument(arguments, context);
    const RegistryReference reference =
        parse_registry_reference(arguments.positional(kRepositoryPositional.name));
    if (!reference.tag.empty() || reference.digest) {
        throw UsageError("kiln chooses the tag: use HOST[:PORT]/NAME without a tag");
    }
    const InputServices services(context);
    const InputContext in = services.context();
    enter_build(context.console); // what it keeps is for bakes
    const Store store(services.cache());
    const Digest key = argument.definition->key(argument.lock(), in.pool);
    if (!store.contains(key)) {
        throw Error(
            fmt::format(
                "the locked version of {} has not been built", argument.definition->describe()))
            .with_hint(
                fmt::format("run 'kiln artifact build {}' first", argument.definition->name()));
    }
    RegistryClient registry = client_for(reference, in);
    const PushedArtifact pushed = push_artifact(
        stored_artifact(store, key, argument.definition->name()),
        registry,
        store,
        jobs_of(arguments),
        context.console);
    const std::string repository = reference.repository.to_string();
    if (context.global.json) {
        const nlohmann::ordered_json json{
            {"repository", repository},
            {"tag", pushed.tag},
            {"digest", pushed.manifest.to_string()},
            {"bytes", pushed.bytes}};
        context.io.out << json_text(json) << '\n';
    } else {
        context.io.out << fmt::format("{}@{}\n", repository, pushed.manifest.to_string());
    }
    return ExitCode::ok;
}

ExitCode run_pull(const Arguments& arguments, Context& context) {
    const ArtifactArgument argument = load_artifact_argument(arguments, context);
    const RegistryReference reference =
        parse_registry_reference(arguments.positional(kReferencePositional.name));
    const InputServices services(context);
    const InputContext in = services.context();
    const Store store(services.cache());
    const Lockfile lock = argument.lock();
    const Digest key = argument.definition->key(lock, in.pool);
    const WantedArtifact wanted{
        argument.definition->name(), argument.definition->locked_result(argument.path, lock, key)};
    RegistryClient registry = client_for(reference, in);
    const std::string what = reference.digest ? reference.digest->to_string()
                             : reference.tag.empty()
                                 ? artifact_tag(argument.definition->name(), key)
                                 : reference.tag;
    const auto pulled = pull_artifact(what, wanted, registry, store, context.console);
    if (!pulled) {
        throw Error(
            fmt::format("'{1}' not found in '{0}'", reference.repository.to_string(), what),
            ExitCode::remote_refused)
            .with_hint(fmt::format(
                "run 'kiln artifact push {} {}' to upload it",
                argument.definition->name(),
                reference.repository.to_string()));
    }
    context.io.out << fmt::format("{}  {}\n", pulled->name, pulled->tree.to_string());
    return ExitCode::ok;
}

ExitCode run_list(const Arguments&, Context& context) {
    const InputServices services(context);
    const Store store(services.cache());
    nlohmann::ordered_json json = nlohmann::ordered_json::array();
    for (const StoredStage& stored : store.list()) {
        if (stored.is_damaged || stored.info.kind != kArtifactKind) {
            continue;
        }
        ArtifactInfo info;
        try {
            info = stored_artifact(store, stored.key);
        } catch (const Error& error) { // the others are there all the same
            context.console.warning(fmt::format("{}: {}", stored.folder.string(), error.message()));
            continue;
        }
        if (context.global.json) {
            json.push_back(nlohmann::ordered_json::parse(to_json(info)));
            continue;
        }
        context.io.out << fmt::format(
            "{:<20} {:<12} {:>10}  {}  used {}\n",
            info.name,
            info.kind,
            format_size(stored.info.bytes),
            artifact_tag(info.name, info.key),
            format_rfc3339(stored.last_used));
    }
    if (context.global.json) {
        context.io.out << json_text(json) << '\n';
    }
    return ExitCode::ok;
}

constexpr auto kPushExamples = std::to_array<Example>({
    {"kiln artifact push core registry.example/perl", "upload the locked bundle"},
});
constexpr auto kPullExamples = std::to_array<Example>({
    {"kiln artifact pull core registry.example/perl", "download the locked bundle"},
});
constexpr auto kListExamples = std::to_array<Example>({
    {"kiln artifact list", "list the artifacts in the cache"},
});
constexpr std::array kShareOptions{kJobsOption};
constexpr std::array kPushPositionals{kArtifactPositional, kRepositoryPositional};
constexpr std::array kPullPositionals{kArtifactPositional, kReferencePositional};

} // namespace

const CommandSpec kArtifactPushCommand{
    .name = "artifact push",
    .summary = "upload a built artifact to a registry",
    .description =
        R"(Uploads the locked version of the artifact as an OCI artifact. The tag is made of its
name and key. Prints the reference by digest. Blobs that already exist in the registry are not
uploaded again.)",
    .also = kRegistryLoginHelp,
    .examples = kPushExamples,
    .options = kShareOptions,
    .positionals = kPushPositionals,
    .run = run_push};

const CommandSpec kArtifactPullCommand{
    .name = "artifact pull",
    .summary = "download a built artifact from a registry",
    .description =
        R"(Downloads the locked version of the artifact and stores it in the cache, as if it had
been built locally. An artifact whose name, key or tree digest differs from the lock is rejected
(exit code 5). 'kiln artifact build' writes the tree digest to the lock. With @sha256:DIGEST, only
the artifact with this digest is accepted.)",
    .also = kRegistryLoginHelp,
    .examples = kPullExamples,
    .options = kShareOptions,
    .positionals = kPullPositionals,
    .run = run_pull};

const CommandSpec kArtifactListCommand{
    .name = "artifact list",
    .summary = "list the artifacts in the cache",
    .description =
        R"(Lists name, kind, size, registry tag and last use of every artifact in the cache. 'kiln
cache prune' removes artifacts that have not been used recently.)",
    .examples = kListExamples,
    .options = {},
    .positionals = {},
    .run = run_list};

} // namespace kiln
