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
    {"kiln lock pause", "resolve recipes/pause.yaml and write recipes/pause.lock"},
    {"kiln lock pause --update nginx", "update only nginx"},
    {"kiln lock web.yaml --mirror https://mirror.example/debian", "use another mirror"},
});

constexpr OptionSpec kUpdateOption{
    .name = "--update",
    .value = "PACKAGE",
    .doc = "update only this package; all others keep their locked version",
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
                    "package '{}' not found in lock '{}' (--update)", package, path.string()));
            }
        }
    } else if (!request.update.empty()) {
        throw UsageError(
            fmt::format("--update requires an existing lock: '{}' not found", path.string()));
    }
    return request;
}

ExitCode run(const Arguments& arguments, Context& context) {
    const Recipe recipe = load_recipe_argument(arguments, context);
    const fs::path path = lock_path(recipe);
    if (!source_overrides(arguments, recipe).empty()) {
        throw UsageError("'kiln lock --source' accepts only the alternatives of the recipe, not a "
                         "directory or URL");
    }
    const InputServices services(arguments, context);
    const Store store(services.cache());
    const RecipeArtifacts artifacts(recipe, store);
    LockRequest request = lock_request(arguments, path);
    artifacts.make_missing_locks(services.context());
    request.artifacts = artifacts.locked();
    write_lock(path, make_lock(recipe, request, services.context()), context);
    return ExitCode::ok;
}

} // namespace

const CommandSpec kLockCommand{
    .name = "lock",
    .summary = "resolve the inputs of a recipe and write its lock",
    .description =
        R"(Resolves the packages of every stage with apt, in a private directory that ignores the
settings of this host, and writes versions, sizes and SHA-256 digests to the lock next to the
recipe. Archive signatures are verified. Prints what changed. A variant (--set) has a separate
lock, such as web@release=trixie.lock.

The lock does not contain a mirror: --mirror, KILN_MIRROR or this host's apt sources set where to
download from, and images do not depend on the mirror that was used.)",
    .examples = kExamples,
    .options = kOptions,
    .positionals = kPositionals,
    .run = run};

} // namespace kiln
