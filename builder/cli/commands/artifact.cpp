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
    .name = "--refresh", .doc = "update the lock first and print the changes"};

ExitCode run_lock(const Arguments& arguments, Context& context) {
    const ArtifactArgument argument = load_artifact_argument(arguments, context);
    const InputServices services(arguments, context);
    write_lock(lock_path(argument.path), argument.definition->lock(services.context()), context);
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
    out << fmt::format("required packages: {}\n", fmt::join(packages, " "));
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
    const InputServices services(arguments, context);
    if (arguments.flag(kRefreshOption.name)) {
        const Lockfile lock = argument.definition->lock(services.context());
        for (const std::string& line :
             replace_lock(lock_path(argument.path), lock, context.console)) {
            context.console.info(line);
        }
    }
    const Lockfile lock = argument.lock();
    enter_build(context.console);
    const Store store(services.cache());
    const ArtifactInfo info =
        argument.definition->build(lock, services.context(), store, jobs_of(arguments));
    argument.definition->note_result(argument.path, lock, info, context.console);
    print_artifact(info, context);
    return ExitCode::ok;
}

constexpr auto kBuildExamples = std::to_array<Example>({
    {"kiln artifact build core", "build perl-bundle/core.yaml from its lock"},
    {"kiln artifact build core --refresh", "update the lock, then build"},
    {"kiln artifact build core --offline --jobs 1",
     "build from the download cache only, one job at a time"},
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
    {"kiln artifact lock core", "resolve perl-bundle/core.yaml and write perl-bundle/core.lock"},
    {"kiln artifact lock ./my.yaml --mirror https://mirror.example/debian",
     "lock your own bundle from another mirror"},
});
constexpr std::array kLockOptions{
    kMirrorOption, kSnapshotOption, kCpanOption, kCpanKeyringOption, kOfflineOption};
constexpr std::array kArtifactPositionals{kArtifactPositional};

} // namespace

const CommandSpec kArtifactLockCommand{
    .name = "artifact lock",
    .summary = "resolve the inputs of an artifact and write its lock",
    .description =
        R"(Finds the upstream tarballs of a bundle's perl and distributions in the signed source
indices of the archives, resolves the packages of the build root with apt, reads the dependencies
from the tarballs, and writes versions, sizes, SHA-256 digests and the build order to the lock
next to the bundle. Prints what changed.

All missing source packages and unsatisfied prerequisites are reported at once. If a tarball is
not on any mirror, the version of the next suite is used or, as a last resort, Debian's binary
package of the distribution.)",
    .examples = kLockExamples,
    .options = kLockOptions,
    .positionals = kArtifactPositionals,
    .run = run_lock};

const CommandSpec kArtifactBuildCommand{
    .name = "artifact build",
    .summary = "build an artifact from its lock",
    .description =
        R"(Installs the locked packages of the build root, builds perl in it, and then every
distribution on top of perl and its dependencies, several in parallel, without network access.
Each result is cached: after a failure or an interruption only the rest is built. The finished
artifact is stored in the cache, where 'kiln bake' finds it. The digest of its tree is written to
the lock, so that artifacts pulled from a registry can be verified.

Prints the size of each part and the Debian packages with the shared libraries that an image
needs. The log of each distribution is in the cache, in logs/BUNDLE.)",
    .examples = kBuildExamples,
    .options = kBuildOptions,
    .positionals = kArtifactPositionals,
    .run = run_build};

} // namespace kiln
