// SPDX-License-Identifier: MIT
#include "base/namespaces.hpp"
#include "base/paths.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "pipeline/store.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <ostream>

namespace kiln {

namespace {

constexpr std::int64_t kSecondsPerDay = 86400;

fs::path cache_of(const Context& context) {
    return cache_root([&](std::string_view name) -> std::optional<std::string> {
        const auto it = context.io.env.find(std::string(name));
        return it == context.io.env.end() ? std::nullopt : std::optional(it->second);
    });
}

std::int64_t now() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

ExitCode run_list(const Arguments&, Context& context) {
    const fs::path cache = cache_of(context);
    const auto stages = Store(cache).list();
    if (context.global.json) {
        nlohmann::ordered_json json{
            {"cache", cache.string()}, {"stages", nlohmann::ordered_json::array()}};
        for (const StoredStage& stage : stages) {
            json["stages"].push_back(
                {{"key", stage.key.to_string()},
                 {"recipe", stage.info.recipe},
                 {"kind", stage.info.kind},
                 {"name", stage.info.name},
                 {"bytes", stage.info.bytes},
                 {"seconds", stage.info.seconds},
                 {"last_used", format_rfc3339(stage.last_used)}});
        }
        context.io.out << json.dump(2) << '\n';
        return ExitCode::ok;
    }
    std::uint64_t total = 0;
    for (const StoredStage& stage : stages) {
        constexpr std::size_t kShort = 12;
        total += stage.info.bytes;
        context.io.out << fmt::format(
            "{}  {:<16} {:<20} {:>10}  made in {:<7} used {}\n",
            stage.key.hex().substr(0, kShort),
            stage.info.recipe,
            stage.info.name,
            format_size(stage.info.bytes),
            format_duration(stage.info.seconds),
            format_rfc3339(stage.last_used));
    }
    context.io.out << fmt::format(
        "{} stages, {} in '{}'\n", stages.size(), format_size(total), cache.string());
    return ExitCode::ok;
}

constexpr OptionSpec kDaysOption{
    .name = "--days", .value = "N", .doc = "drop stages not used for N days; otherwise 14"};
constexpr OptionSpec kAllOption{.name = "--all", .doc = "drop every stage"};
constexpr std::array kPruneOptions{kDaysOption, kAllOption};

ExitCode run_prune(const Arguments& arguments, Context& context) {
    constexpr std::uint64_t kMostDays = 36500;
    constexpr std::uint64_t kUsualDays = 14;
    const auto days =
        static_cast<std::int64_t>(arguments.number("--days", 0, kMostDays).value_or(kUsualDays));
    // A plain user's stages belong to the users of their trees; only the namespace can remove them.
    enter_build_namespace();
    const Store store(cache_of(context));
    std::uint64_t bytes = 0;
    std::size_t count = 0;
    for (const StoredStage& stage : store.list()) {
        if (arguments.flag("--all") || stage.last_used < now() - days * kSecondsPerDay) {
            store.remove(stage.key);
            bytes += stage.info.bytes;
            ++count;
        }
    }
    context.io.out << fmt::format("{} stages dropped, {} freed\n", count, format_size(bytes));
    return ExitCode::ok;
}

constexpr auto kListExamples = std::to_array<Example>({
    {"kiln cache list", "shows every kept stage, the last used first"},
    {"kiln cache list --json", "gives the same to a program"},
});
constexpr auto kPruneExamples = std::to_array<Example>({
    {"kiln cache prune", "drops what was not used for two weeks"},
    {"kiln cache prune --days 1", "drops what was not used since yesterday"},
    {"kiln cache prune --all", "drops all; the next bake runs every stage"},
});

} // namespace

const CommandSpec kCacheListCommand{
    .name = "cache list",
    .summary = "show the stage trees that are kept",
    .description = "Lists the trees that bakes left in the store, under KILN_CACHE or "
                   "~/.cache/kiln. A bake restores a stage whose key is there and does not run it.",
    .examples = kListExamples,
    .run = run_list};

const CommandSpec kCachePruneCommand{
    .name = "cache prune",
    .summary = "drop stage trees that nobody used lately",
    .description = "Removes stage trees from the store. The pool of fetched inputs is left alone: "
                   "what a mirror has dropped could not be fetched again.",
    .examples = kPruneExamples,
    .options = kPruneOptions,
    .run = run_prune};

} // namespace kiln
