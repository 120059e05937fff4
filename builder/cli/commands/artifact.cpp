// SPDX-License-Identifier: MIT
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/options/artifact_argument.hpp"
#include "cli/options/enter_build.hpp"
#include "cli/options/input_options.hpp"
#include "cli/options/lock_report.hpp"
#include "resolve/make_lock.hpp"
#include "resolve/recipe_lock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ostream>
#include <set>

namespace kiln {

namespace {

constexpr OptionSpec kRefreshOption{
    .name = "--refresh", .doc = "make the lock anew first and print what changed"};

ExitCode run_lock(const Arguments& arguments, Context& context) {
    const ArtifactArgument argument = load_artifact_argument(arguments, context);
    const InputWorld world(arguments, context);
    write_lock(lock_path(argument.path), argument.definition->lock(world.context()), context);
    return ExitCode::ok;
}

void print_parts(const ArtifactInfo& info, std::ostream& out) {
    std::vector<ArtifactPart> parts = info.parts;
    std::stable_sort(parts.begin(), parts.end(), [](const ArtifactPart& a, const ArtifactPart& b) {
        return a.bytes > b.bytes;
    });
    out << fmt::format("{:<40} {:<16} {:>10} {:>6}\n", "part", "version", "size", "files");
    for (const ArtifactPart& part : parts) {
        out << fmt::format(
            "{:<40} {:<16} {:>10} {:>6}\n",
            part.name,
            part.version,
            format_size(part.bytes),
            part.files);
    }
    std::set<std::string> packages;
    for (const ArtifactLibrary& library : info.libraries) {
        packages.insert(library.package);
    }
    out << fmt::format("needs packages: {}\n", fmt::join(packages, " "));
}

void print_artifact(const ArtifactInfo& info, Context& context) {
    if (context.global.json) {
        context.io.out << to_json(info);
        return;
    }
    print_parts(info, context.io.err);
    context.io.out << fmt::format("{}  {}\n", info.name, info.tree.to_string());
}

ExitCode run_build(const Arguments& arguments, Context& context) {
    const ArtifactArgument argument = load_artifact_argument(arguments, context);
    const InputWorld world(arguments, context);
    if (arguments.flag(kRefreshOption.name)) {
        const Lockfile lock = argument.definition->lock(world.context());
        for (const std::string& line :
             replace_lock(lock_path(argument.path), lock, context.console)) {
            context.console.info(line);
        }
    }
    const Lockfile lock = argument.lock();
    enter_build(context.console);
    const Store store(world.cache());
    const ArtifactInfo info =
        argument.definition->build(lock, world.context(), store, jobs_of(arguments));
    argument.definition->note_result(argument.path, lock, info, context.console);
    print_artifact(info, context);
    return ExitCode::ok;
}

constexpr auto kBuildExamples = std::to_array<Example>({
    {"kiln artifact build core", "builds perl-bundle/core.yaml from its lock"},
    {"kiln artifact build core --refresh", "locks anew and builds"},
    {"kiln artifact build core --offline --jobs 1",
     "builds from the pool alone, one thing at a time"},
});
constexpr std::array kBuildOptions{
    kRefreshOption,
    kOfflineOption,
    kMirrorOption,
    kSnapshotOption,
    kCpanOption,
    kCpanKeyringOption,
    kJobsOption};

constexpr auto kLockExamples = std::to_array<Example>({
    {"kiln artifact lock core", "resolves perl-bundle/core.yaml and writes perl-bundle/core.lock"},
    {"kiln artifact lock ./my.yaml --mirror https://mirror.example/debian",
     "asks another mirror for a bundle of one's own"},
});
constexpr std::array kLockOptions{
    kMirrorOption, kSnapshotOption, kCpanOption, kCpanKeyringOption, kOfflineOption};
constexpr std::array kArtifactPositionals{kArtifactPositional};

} // namespace

const CommandSpec kArtifactLockCommand{
    .name = "artifact lock",
    .summary = "resolve the inputs of a perl bundle and write them down",
    .description =
        "Finds the upstream tarballs of a bundle's perl and distributions in the archives' signed "
        "indices of source packages, lets apt's own solver choose the packages of the build root, "
        "reads from the tarballs what needs what, and writes versions, sizes, SHA-256 digests and "
        "the build order to the lock beside the bundle. Prints what changed.\n"
        "\n"
        "All source packages that cannot be found, and all prerequisites that nothing meets, are "
        "told at once. A tarball that no mirror has gives way to the next suite's or, last, to "
        "Debian's own package of the distribution.",
    .examples = kLockExamples,
    .options = kLockOptions,
    .positionals = kArtifactPositionals,
    .run = run_lock};

const CommandSpec kArtifactBuildCommand{
    .name = "artifact build",
    .summary = "build a perl bundle from its lock and keep it",
    .description =
        "Installs the locked packages of the build root, builds perl in it, and then every "
        "distribution on perl and what it needs, several at a time, without network. Each is kept "
        "when it is done: after a failure or an interruption only the rest is built. The finished "
        "artifact is kept, too; kiln bake takes it from there. The digest of its tree is written "
        "into the lock, so that a registry can give no other.\n"
        "\n"
        "Prints the size of each part and the Debian packages whose libraries an image has to "
        "hold. Every distribution has a log in the cache, below logs/BUNDLE.",
    .examples = kBuildExamples,
    .options = kBuildOptions,
    .positionals = kArtifactPositionals,
    .run = run_build};

} // namespace kiln
