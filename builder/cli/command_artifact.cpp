// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "cli/commands.hpp"
#include "cli/input_options.hpp"
#include "cli/lock_report.hpp"
#include "cli/recipe_argument.hpp"
#include "pipeline/bundle_lock.hpp"
#include "pipeline/make_lock.hpp"

#include <array>

namespace kiln {

namespace {

constexpr DefinitionPlace kBundles{"perl-bundle", "bundle"};

constexpr PositionalSpec kBundlePositional{
    .name = "BUNDLE",
    .doc = "a bundle's file, or the name of one in perl-bundle/",
    .completes = Completes::file};

PerlBundle load_bundle_argument(const fs::path& path, Context& context) {
    Diagnostics diags;
    std::optional<PerlBundle> bundle = load_bundle(path, diags);
    require_no_faults(path, kBundles, diags, context);
    KILN_CHECK(bundle.has_value());
    return std::move(*bundle);
}

ExitCode run_lock(const Arguments& arguments, Context& context) {
    const fs::path path = find_definition(arguments.positional(kBundlePositional.name), kBundles);
    const PerlBundle bundle = load_bundle_argument(path, context);
    const InputWorld world(arguments, context);
    write_lock(lock_path(path), lock_bundle(bundle, world.context(), kKeyringFolder), context);
    return ExitCode::ok;
}

constexpr auto kLockExamples = std::to_array<Example>({
    {"kiln artifact lock core", "resolves perl-bundle/core.yaml and writes perl-bundle/core.lock"},
    {"kiln artifact lock ./my.yaml --mirror https://mirror.example/debian",
     "asks another mirror for a bundle of one's own"},
});

constexpr std::array kLockOptions{kMirrorOption, kSnapshotOption, kOfflineOption};
constexpr std::array kLockPositionals{kBundlePositional};

} // namespace

const CommandSpec kArtifactLockCommand{
    .name = "artifact lock",
    .summary = "resolve the inputs of a perl bundle and write them down",
    .description =
        "Finds the upstream tarballs of a bundle's perl and distributions in the archives' signed "
        "indices of source packages, lets apt's own solver choose the packages of the build root, "
        "and writes versions, sizes and SHA-256 digests to the lock beside the bundle. Prints what "
        "changed.\n"
        "\n"
        "All source packages that cannot be found are told at once.",
    .examples = kLockExamples,
    .options = kLockOptions,
    .positionals = kLockPositionals,
    .run = run_lock};

} // namespace kiln
