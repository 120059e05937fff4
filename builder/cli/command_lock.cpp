// SPDX-License-Identifier: MIT
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/input_options.hpp"
#include "cli/recipe_argument.hpp"
#include "pipeline/make_lock.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <ostream>

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
    kUpdateOption, kSetOption, kMirrorOption, kSnapshotOption, kOfflineOption};
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

std::optional<Lockfile> readable_lock(const fs::path& path) {
    if (!fs::exists(path)) {
        return std::nullopt;
    }
    Diagnostics faults;
    auto file = std::make_shared<SourceFile>(SourceFile{path.string(), read_text_file(path)});
    Lockfile lock = parse_lockfile(std::move(file), faults);
    return faults.has_errors() ? std::nullopt : std::optional(std::move(lock));
}

ExitCode run(const Arguments& arguments, Context& context) {
    const Recipe recipe = load_recipe_argument(arguments, context);
    const fs::path path = lock_path(find_recipe(arguments.positional(kRecipePositional.name)));
    const InputWorld world(arguments, context);
    const LockRequest request = lock_request(arguments, path);
    const Lockfile before = readable_lock(path).value_or(Lockfile());
    const Lockfile lock = make_lock(recipe, request, world.context());
    const auto changes = describe_changes(before, lock);
    write_file_atomically(path, lock.to_text());
    if (context.global.json) {
        context.io.out << nlohmann::ordered_json{
            {"lock", path.string()},
            {"digest", lock.digest().to_string()},
            {"packages", lock.packages.size()},
            {"source_date_epoch", lock.epoch},
            {"changes", changes}}
                              .dump(2)
                       << '\n';
        return ExitCode::ok;
    }
    for (const std::string& line : changes) {
        context.io.out << line << '\n';
    }
    context.io.out << fmt::format(
        "{}: {} packages, source date epoch {}, {}\n",
        path.string(),
        lock.packages.size(),
        format_rfc3339(lock.epoch),
        changes.empty() ? "nothing changed" : fmt::format("{} changes", changes.size()));
    return ExitCode::ok;
}

} // namespace

const CommandSpec kLockCommand{
    .name = "lock",
    .summary = "resolve a recipe's inputs and write them down",
    .description =
        "Asks apt's own solver, in a private directory that sees nothing of this host's settings, "
        "for the packages of every stage, and writes versions, sizes and SHA-256 digests to the "
        "lock beside the recipe. Archive signatures are verified. Prints what changed.\n"
        "\n"
        "The lock names no mirror: --mirror, KILN_MIRROR or this host's apt sources say where to "
        "look, and no image depends on which one was used.",
    .examples = kExamples,
    .options = kOptions,
    .positionals = kPositionals,
    .run = run};

} // namespace kiln
