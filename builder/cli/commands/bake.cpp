// SPDX-License-Identifier: MIT
#include "bake/bake.hpp"

#include "bake/output_folder.hpp"
#include "base/json.hpp"
#include "base/shell_word.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/options/enter_build.hpp"
#include "cli/options/input_options.hpp"
#include "cli/options/recipe_argument.hpp"
#include "resolve/recipe_lock.hpp"
#include "resolve/request_of.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <ostream>

namespace kiln {

namespace {

constexpr auto kExamples = std::to_array<Example>({
    {"kiln bake debian-minimal --refresh", "update the lock, then build all images of the recipe"},
    {"kiln bake pause --offline", "build from the lock and the download cache only"},
    {"kiln bake pause --image qcow2", "build the disk image only"},
    {"kiln bake pause --rebuild", "run every stage again and compare the trees"},
    {"kiln bake pause --source pause=../pause", "use a local checkout as a source"},
    {"kiln bake web.yaml --out /srv/images --jobs 4", "write the results to another directory"},
});

constexpr OptionSpec kImageOption{
    .name = "--image",
    .value = "FORMAT",
    .doc = "build only these formats, separated by commas (qcow2,raw,oci,docker)",
    .repeatable = true};
constexpr OptionSpec kOutOption{
    .name = "--out",
    .value = "DIR",
    .doc = "output directory (default: NAME in the project's folder of results)",
    .completes = Completes::directory};
constexpr OptionSpec kArtifactsOption{
    .name = "--artifacts",
    .value = "HOST/REPOSITORY",
    .doc = "registry repository to pull prebuilt artifacts from",
    .repeatable = true};
constexpr OptionSpec kRefreshOption{
    .name = "--refresh", .doc = "update the lock first and print the changes"};
constexpr OptionSpec kLockedOption{
    .name = "--locked",
    .doc = "fail if the recipe has no lock (exit code 3) instead of creating it"};
constexpr OptionSpec kCheckOption{
    .name = "--check",
    .value = "LEVEL",
    .doc = "how to check finished disks: none, quick (programs on this host), full (libguestfs "
           "appliance); default: full if KVM is available, otherwise quick"};
constexpr OptionSpec kKeepWorkOption{
    .name = "--keep-work", .doc = "keep the incomplete tree of a failed stage and print its path"};
constexpr OptionSpec kRebuildOption{
    .name = "--rebuild",
    .doc = "run cached stages again and compare the results; exit code 4 if a tree differs"};

constexpr std::array kOptions{
    kImageOption,
    kOutOption,
    kRefreshOption,
    kLockedOption,
    kSourceOption,
    kArtifactsOption,
    kSetOption,
    kOfflineOption,
    kMirrorOption,
    kSnapshotOption,
    kCpanOption,
    kCpanKeyringOption,
    kJobsOption,
    kCheckOption,
    kRebuildOption,
    kKeepWorkOption};
constexpr std::array kPositionals{kRecipePositional};

std::vector<ImageFormat> formats_of(const Arguments& arguments) {
    std::vector<ImageFormat> out;
    for (const std::string& value : arguments.values(kImageOption.name)) {
        for (const std::string& name : split(value, ',')) {
            const auto format = find_image_format(name);
            if (!format) {
                throw UsageError(fmt::format("unknown image format '{}' (--image)", name))
                    .with_hint(did_you_mean(name, kImageFormatNames))
                    .with_hint(
                        fmt::format("supported formats: {}", fmt::join(kImageFormatNames, ", ")));
            }
            out.push_back(*format);
        }
    }
    return out;
}

CheckLevel check_level_of(const Arguments& arguments) {
    const auto name = arguments.value(kCheckOption.name);
    if (!name) {
        return default_check_level();
    }
    const auto* const found = std::ranges::find(kCheckLevels, std::string_view(*name));
    if (found == kCheckLevels.end()) {
        throw UsageError(fmt::format("unknown check level '{}' (--check)", *name))
            .with_hint(did_you_mean(*name, kCheckLevels))
            .with_hint(fmt::format("supported levels: {}", fmt::join(kCheckLevels, ", ")));
    }
    return static_cast<CheckLevel>(found - kCheckLevels.begin());
}

BakeRequest
bake_request(const Arguments& arguments, Context& context, Recipe recipe, const fs::path& cache) {
    BakeRequest request;
    request.recipe_file = recipe.files.front();
    request.sources = source_overrides(arguments, recipe);
    request.asked = request_of(recipe);
    apply_source_overrides(recipe, request.sources);
    request.recipe = std::move(recipe);
    request.artifacts = arguments.values(kArtifactsOption.name);
    request.formats = formats_of(arguments);
    const fs::path results = request.recipe.project.results / request.recipe.name;
    request.out = arguments.value_or(kOutOption.name, results.string());
    request.cache = cache;
    request.jobs = jobs_of(arguments);
    request.check = check_level_of(arguments);
    request.keep_work = arguments.flag(kKeepWorkOption.name) || context.global.debug;
    request.rebuild = arguments.flag(kRebuildOption.name);
    request.umask = own_umask();
    return request;
}

void print_table(const BakeReport& report, std::ostream& out) {
    out << fmt::format(
        "{:<20} {:<7} {:<10} {:>9} {:>8} {:>10}\n", "stage", "branch", "kind", "time", "", "size");
    for (const StageOutcome& stage : report.record.stages) {
        out << fmt::format(
            "{:<20} {:<7} {:<10} {:>9} {:>8} {:>10}\n",
            stage.name,
            branch_name(stage.branch),
            stage.kind,
            format_duration(stage.seconds),
            stage.cached ? "cached" : "run",
            format_size(stage.bytes));
    }
    out << fmt::format("total: {}\n", format_duration(report.record.seconds));
}

void print_images(const BakeReport& report, const fs::path& folder, std::ostream& out) {
    for (const ImageFile& image : report.record.images) {
        out << fmt::format(
            "{}  {}  {}\n",
            (folder / image.name).string(),
            image.digest.to_string(),
            format_size(image.size));
    }
}

void print_json(const BakeReport& report, const fs::path& folder, std::ostream& out) {
    nlohmann::ordered_json json{
        {"recipe", report.record.recipe},
        {"lock", report.record.lock.to_string()},
        {"out", folder.string()},
        {"seconds", report.record.seconds},
        {"images", nlohmann::ordered_json::array()},
        {"stages", nlohmann::ordered_json::array()}};
    for (const ImageFile& image : report.record.images) {
        json["images"].push_back(
            {{"path", (folder / image.name).string()},
             {"format", image.format},
             {"digest", image.digest.to_string()},
             {"size", image.size}});
    }
    for (const StageOutcome& stage : report.record.stages) {
        json["stages"].push_back(
            {{"name", stage.name},
             {"kind", stage.kind},
             {"cached", stage.cached},
             {"seconds", stage.seconds},
             {"bytes", stage.bytes},
             {"delta", stage.delta_digest.to_string()},
             {"reproducible", !stage.other_delta}});
    }
    out << json_text(json) << '\n';
}

/// With --rebuild a stage that made another tree is an error, after all images are there.
void require_same(const BakeReport& report) {
    std::vector<std::string> names;
    for (const StageOutcome& stage : report.record.stages) {
        if (stage.other_delta) {
            names.push_back("'" + stage.name + "'");
        }
    }
    if (!names.empty()) {
        throw Error(
            fmt::format(
                "{} of {} stages are not reproducible: {}",
                names.size(),
                report.record.stages.size(),
                fmt::join(names, ", ")),
            ExitCode::differs)
            .with_hint("see build.log for the paths that differ");
    }
}

/// With --refresh, and for a recipe that was never locked. Without network it cannot be made.
bool wants_new_lock(const Arguments& arguments, const Recipe& recipe, Console& console) {
    if (arguments.flag(kRefreshOption.name)) {
        return true;
    }
    const bool may_lock =
        !arguments.flag(kLockedOption.name) && !arguments.flag(kOfflineOption.name);
    if (!may_lock || has_lock(recipe)) {
        return false;
    }
    console.info(fmt::format("no lock '{}' yet: resolving the recipe", lock_path(recipe).string()));
    return true;
}

/// The first image whose format fits; null when there is none.
const ImageFile* find_image(const BakeReport& report, bool (*fits)(const ImageFormatInfo&)) {
    const auto& images = report.record.images;
    const auto found = std::ranges::find_if(
        images, [&](const ImageFile& image) { return fits(info_of(image.format)); });
    return found == images.end() ? nullptr : &*found;
}

/// What people do next with the images, as commands that work in the current folder.
void print_next(const BakeReport& report, const BakeRequest& request, Console& console) {
    const Recipe& recipe = request.recipe;
    const bool is_default = request.out == recipe.project.results / recipe.name;
    const std::string word = recipe.project.word_of(DefinitionKind::recipe, request.recipe_file);
    const auto argument = [&](const ImageFile& image) {
        return is_default ? word : shell_word((request.out / image.name).string());
    };
    const ImageFile* disk = find_image(
        report, [](const ImageFormatInfo& info) { return info.runs && is_disk(info.format); });
    const ImageFile* container = find_image(
        report, [](const ImageFormatInfo& info) { return info.runs && !is_disk(info.format); });
    const ImageFile* archive = find_image(
        report, [](const ImageFormatInfo& info) { return info.format == ImageFormat::docker; });
    std::vector<std::string> lines;
    if (disk != nullptr) {
        lines.push_back(fmt::format("kiln run {} --vm", argument(*disk)));
    }
    if (container != nullptr) {
        lines.push_back(fmt::format("kiln run {} --docker", argument(*container)));
    }
    if (archive != nullptr) {
        lines.push_back(fmt::format(
            "docker load --input {}", shell_word((request.out / archive->name).string())));
    }
    const ImageFile* any = disk != nullptr ? disk : container;
    if (any != nullptr && !recipe.suite.empty()) {
        lines.push_back(fmt::format("kiln accept {}", argument(*any)));
    }
    if (!lines.empty()) {
        console.info(fmt::format("next:\n  {}", fmt::join(lines, "\n  ")));
    }
}

ExitCode run(const Arguments& arguments, Context& context) {
    Recipe recipe = load_recipe_argument(arguments, context);
    const InputServices services(arguments, context);
    BakeRequest request = bake_request(arguments, context, std::move(recipe), services.cache());
    const bool is_new = !fs::exists(request.out);
    prepare_out_folder(request.out, request.cache, context.console);
    try {
        if (!wants_new_lock(arguments, request.recipe, context.console)) {
            request.lock = load_recipe_lock(request.recipe, request.asked, context.console);
        }
        enter_build(context.console);
    } catch (const Error&) {
        if (is_new) {
            std::error_code ignored;
            fs::remove(request.out, ignored); // it is empty
        }
        throw;
    }
    const BakeReport report = bake(request, services.context());
    if (context.global.json) {
        print_json(report, request.out, context.io.out);
    } else {
        print_table(report, context.io.err);
        print_images(report, request.out, context.io.out);
        print_next(report, request, context.console);
    }
    if (request.rebuild) {
        require_same(report);
    }
    return ExitCode::ok;
}

} // namespace

const CommandSpec kBakeCommand{
    .name = "bake",
    .summary = "build the images of a recipe",
    .description =
        R"(Reads the lock next to the recipe, downloads missing inputs, runs the stages whose trees
are not in the cache, writes the images and checks them. The same lock produces the same bytes on
every host. A lock that was made for other archives, packages or sources than the recipe names is
rejected (exit code 3), with a list of the differences. With --set, the lock of the variant is
used, such as web@release=trixie.lock, or the recipe's own lock if it matches.

Runs as root or as an unprivileged user with a range of subordinate ids (subuid(5)). Maintainer
scripts run in namespaces without network access. The output directory gets the images,
SHA256SUMS, record.json and build.log once all of them are complete. An output directory that is
writable by every user is rejected, and one that is owned by another user causes a warning.

Debian archives remove packages that were superseded: if a package is no longer available, use
--refresh to lock its successor.)",
    .examples = kExamples,
    .options = kOptions,
    .positionals = kPositionals,
    .run = run};

} // namespace kiln
