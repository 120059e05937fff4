// SPDX-License-Identifier: MIT
#include "artifact/lookup/recipe_artifacts.hpp"
#include "cli/commands.hpp"
#include "cli/options/input_options.hpp"
#include "cli/options/lock_report.hpp"
#include "cli/options/recipe_argument.hpp"
#include "resolve/make_lock.hpp"
#include "resolve/recipe_lock.hpp"

#include <fmt/format.h>

#include <array>

namespace kiln {

namespace {

constexpr auto kExamples = std::to_array<Example>({
    {"kiln lock pause", "resolves recipes/pause.yaml anew and writes recipes/pause.lock"},
    {"kiln lock pause --update nginx", "changes nginx and nothing else"},
    {"kiln lock web.yaml --mirror https://mirror.example/debian", "asks another mirror"},
});

constexpr OptionSpec kUpdateOption{
    .name = "--update",
    .value = "PACKAGE",
    .doc = "only this package may change version; all others stay as locked",
    .repeatable = true};

constexpr std::array kOptions{
    kUpdateOption,
    kSourceOption,
    kSetOption,
    kMirrorOption,
    kSnapshotOption,
    kCpanOption,
    kCpanKeyringOption,
    kOfflineOption};
constexpr std::array kPositionals{kRecipePositional};

LockRequest lock_request(const Arguments& arguments, const fs::path& path) {
    LockRequest request;
    for (const std::string& package : arguments.values(kUpdateOption.name)) {
        request.update.insert(package);
    }
    if (fs::exists(path) && !request.update.empty()) {
        request.before = load_lockfile(path.string());
        for (const std::string& package : request.update) {
            if (request.before->find(package) == nullptr) {
                throw UsageError(fmt::format(
                    "'--update {}': the lock '{}' has no such package", package, path.string()));
            }
        }
    } else if (!request.update.empty()) {
        throw UsageError(
            fmt::format("'--update' needs a lock, and there is no '{}'", path.string()));
    }
    return request;
}

ExitCode run(const Arguments& arguments, Context& context) {
    const Recipe recipe = load_recipe_argument(arguments, context);
    const fs::path path = lock_path(recipe);
    if (!source_overrides(arguments, recipe).empty()) {
        throw UsageError("'kiln lock --source' takes one of the recipe's alternatives: a lock says "
                         "where the recipe's own sources are");
    }
    const InputWorld world(arguments, context);
    const Store store(world.cache());
    const RecipeArtifacts artifacts(recipe, store);
    LockRequest request = lock_request(arguments, path);
    artifacts.make_missing_locks(world.context());
    request.artifacts = artifacts.locked();
    write_lock(path, make_lock(recipe, request, world.context()), context);
    return ExitCode::ok;
}

} // namespace

const CommandSpec kLockCommand{
    .name = "lock",
    .summary = "resolve a recipe's inputs and write them down",
    .description =
        "Asks apt's own solver, in a private directory that sees nothing of this host's settings, "
        "for the packages of every stage, and writes versions, sizes and SHA-256 digests to the "
        "lock beside the recipe. Archive signatures are verified. Prints what changed. What --set "
        "makes of a recipe has a lock of its own, such as web@release=trixie.lock.\n"
        "\n"
        "The lock names no mirror: --mirror, KILN_MIRROR or this host's apt sources say where to "
        "look, and no image depends on which one was used.",
    .examples = kExamples,
    .options = kOptions,
    .positionals = kPositionals,
    .run = run};

} // namespace kiln
