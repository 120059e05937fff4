// SPDX-License-Identifier: MIT
#include "bake/checked_disks.hpp"
#include "bake/formats/image_caches.hpp"
#include "base/interrupt.hpp"
#include "base/io/paths.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "build/made_trees.hpp"
#include "build/store.hpp"
#include "cli/commands.hpp"
#include "sandbox/namespaces.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <array>
#include <chrono>
#include <limits>
#include <ostream>

namespace kiln {

namespace {

constexpr std::int64_t kSecondsPerDay = 86400;
/// What stages made is remembered for longer than their trees are kept: it is small, and there is
/// nothing to compare with otherwise.
constexpr std::int64_t kMemoryDays = 365;

fs::path cache_of(const Context& context) {
    return own_cache_root(lookup_in(context.io.env));
}

std::int64_t now() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

ExitCode run_list(const Arguments&, Context& context) {
    const fs::path cache = cache_of(context);
    const Store store(cache);
    const auto stages = store.list();
    const ImageCaches images = image_caches(cache);
    const std::vector<KeptWork> kept = store.kept_work();
    if (context.global.json) {
        nlohmann::ordered_json json{
            {"cache", cache.string()},
            {"layer_bytes", images.layer_bytes},
            {"cluster_bytes", images.cluster_bytes},
            {"stages", nlohmann::ordered_json::array()},
            {"kept", nlohmann::ordered_json::array()}};
        for (const StoredStage& stage : stages) {
            json["stages"].push_back(
                {{"key", stage.key.to_string()},
                 {"recipe", stage.info.recipe},
                 {"kind", stage.info.kind},
                 {"name", stage.info.name},
                 {"bytes", stage.info.bytes},
                 {"seconds", stage.info.seconds},
                 {"damaged", stage.is_damaged},
                 {"last_used", format_rfc3339(stage.last_used)}});
        }
        for (const KeptWork& work : kept) {
            json["kept"].push_back(
                {{"path", work.folder.string()}, {"since", format_rfc3339(work.since)}});
        }
        context.io.out << json_text(json) << '\n';
        return ExitCode::ok;
    }
    std::uint64_t total = 0;
    for (const StoredStage& stage : stages) {
        constexpr std::size_t kShort = 12;
        total += stage.info.bytes;
        if (stage.is_damaged) {
            context.io.out << fmt::format(
                "{}  damaged; run 'kiln cache prune' to remove it\n",
                stage.folder.filename().string().substr(0, kShort));
            continue;
        }
        context.io.out << fmt::format(
            "{}  {:<16} {:<20} {:>10}  built in {:<7} used {}\n",
            stage.key.hex().substr(0, kShort),
            printable(stage.info.recipe),
            printable(stage.info.name),
            format_size(stage.info.bytes),
            format_duration(stage.info.seconds),
            format_rfc3339(stage.last_used));
    }
    for (const KeptWork& work : kept) {
        context.io.out << fmt::format(
            "incomplete tree in '{}', kept {}\n", work.folder.string(), format_rfc3339(work.since));
    }
    context.io.out << fmt::format(
        "{} stages, {}; layers, {}; clusters, {}; in '{}'\n",
        stages.size(),
        format_size(total),
        format_size(images.layer_bytes),
        format_size(images.cluster_bytes),
        cache.string());
    return ExitCode::ok;
}

constexpr OptionSpec kDaysOption{
    .name = "--days", .value = "N", .doc = "remove entries not used for N days (default: 14)"};
constexpr OptionSpec kAllOption{.name = "--all", .doc = "remove all entries, used or not"};
constexpr OptionSpec kKeptOption{
    .name = "--kept", .doc = "remove only what 'kiln bake --keep-work' kept"};
constexpr std::array kPruneOptions{kDaysOption, kAllOption, kKeptOption};

std::size_t remove_kept_work(const Store& store) {
    std::size_t count = 0;
    for (const KeptWork& work : store.kept_work()) {
        throw_if_interrupted();
        remove_tree(work.folder);
        ++count;
    }
    return count;
}

ExitCode run_prune(const Arguments& arguments, Context& context) {
    constexpr std::uint64_t kMostDays = 36500;
    constexpr std::uint64_t kUsualDays = 14;
    const auto days =
        static_cast<std::int64_t>(arguments.number("--days", 0, kMostDays).value_or(kUsualDays));
    const std::int64_t time = arguments.flag(kAllOption.name)
                                  ? std::numeric_limits<std::int64_t>::max()
                                  : now() - days * kSecondsPerDay;
    const fs::path cache = cache_of(context);
    // A plain user's stages belong to the users of their trees; only the namespace can remove them.
    if (::geteuid() != 0) {
        enter_build_namespace();
    }
    const Store store(cache);
    if (arguments.flag(kAllOption.name) || arguments.flag(kKeptOption.name)) {
        const std::size_t kept = remove_kept_work(store);
        if (kept > 0 || arguments.flag(kKeptOption.name)) {
            context.io.out << fmt::format("removed {} incomplete trees\n", kept);
        }
    }
    if (arguments.flag(kKeptOption.name)) {
        return ExitCode::ok;
    }
    std::uint64_t bytes = 0;
    std::size_t count = 0;
    std::size_t in_use = 0;
    for (const StoredStage& stage : store.list()) {
        throw_if_interrupted();
        if (stage.last_used >= time && !stage.is_damaged) {
            continue;
        }
        if (!store.remove(stage)) {
            ++in_use;
            continue;
        }
        bytes += stage.info.bytes;
        ++count;
    }
    if (in_use > 0) {
        context.console.notice(
            fmt::format("{} stages kept: in use by another kiln process", in_use));
    }
    MadeTrees(cache).prune(
        arguments.flag(kAllOption.name) ? time : now() - kMemoryDays * kSecondsPerDay);
    CheckedDisks(cache).prune(time);
    const std::uint64_t of_images = prune_image_caches(cache, time);
    context.io.out << fmt::format(
        "removed {} stages, freed {}; freed {} of layers and clusters\n",
        count,
        format_size(bytes),
        format_size(of_images));
    return ExitCode::ok;
}

constexpr auto kListExamples = std::to_array<Example>({
    {"kiln cache list", "list all stages, most recently used first"},
    {"kiln cache list --json", "print the same as JSON"},
});
constexpr auto kPruneExamples = std::to_array<Example>({
    {"kiln cache prune", "remove entries not used for two weeks"},
    {"kiln cache prune --days 1", "remove entries not used for a day"},
    {"kiln cache prune --all", "remove all entries; the next bake runs every stage"},
    {"kiln cache prune --kept", "remove the trees that 'kiln bake --keep-work' kept"},
});

} // namespace

const CommandSpec kCacheListCommand{
    .name = "cache list",
    .summary = "list the stage trees in the cache",
    .description =
        R"(Lists the stage trees in the cache (KILN_CACHE, default: ~/.cache/kiln). A bake restores
a stage whose key is in the cache instead of running it. Compressed layers and disk clusters are
cached too.)",
    .examples = kListExamples,
    .run = run_list};

const CommandSpec kCachePruneCommand{
    .name = "cache prune",
    .summary = "remove cache entries not used recently",
    .description =
        R"(Removes stage trees, compressed layers and disk clusters from the cache. Downloaded
inputs are not removed: files that were deleted from the mirror could not be downloaded again.
Stages that are in use by a running bake are kept. The incomplete trees of 'kiln bake --keep-work'
are removed by --kept and --all only.)",
    .examples = kPruneExamples,
    .options = kPruneOptions,
    .run = run_prune};

} // namespace kiln
