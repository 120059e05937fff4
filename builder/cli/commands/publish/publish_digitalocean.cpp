// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/options/digitalocean_options.hpp"
#include "cli/options/project_argument.hpp"
#include "cli/options/results_argument.hpp"
#include "publish/digitalocean/image_dry_run.hpp"
#include "publish/digitalocean/preflight.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <ctime>
#include <ostream>

namespace kiln {

namespace {

constexpr PositionalSpec kDiskPositional{
    .name = "IMAGE",
    .doc = "name of a recipe (uses its baked disk), a folder of results or a disk",
    .completes = Completes::file};
constexpr OptionSpec kRegionOption{
    .name = "--region",
    .value = "REGION[,REGION...]",
    .doc = "where the image is to be; created in the first, transferred to the others",
    .repeatable = true};
constexpr OptionSpec kUrlOption{
    .name = "--url",
    .value = "URL",
    .doc = "where you have put the file, for DigitalOcean to fetch it from"};
constexpr OptionSpec kSpaceOption{
    .name = "--space",
    .value = "BUCKET[@REGION]",
    .doc = "upload the disk to this bucket of Spaces, and remove it from there afterwards"};
constexpr OptionSpec kSpaceEndpointOption{
    .name = "--space-endpoint",
    .value = "URL",
    .doc = "another S3 service than Spaces for --space"};
constexpr OptionSpec kNameOption{
    .name = "--name", .value = "NAME", .doc = "name of the image (default: the file's)"};
constexpr OptionSpec kTagOption{
    .name = "--tag", .value = "TAG", .doc = "a further tag of the image", .repeatable = true};
constexpr auto kFormats = std::to_array<std::string_view>({"qcow2", "raw", "raw.gz"});
constexpr OptionSpec kFormatOption{
    .name = "--format", .value = "FORMAT", .doc = "which of the results", .choices = kFormats};
constexpr OptionSpec kStandinOption{
    .name = "--allow-standin", .doc = "publish an image with kiln's stand-in for PAUSE"};
constexpr OptionSpec kNoCheckOption{
    .name = "--no-check", .doc = "do not look for mistakes in what is on the disk"};
constexpr OptionSpec kDryRunOption{
    .name = "--dry-run", .doc = "print the requests; send those only that change nothing"};

constexpr auto kExamples = std::to_array<Example>({
    {"kiln publish digitalocean shop --region nyc3 --space my-bucket",
     "uploads the disk of the last bake to a Space, imports it, removes the upload"},
    {"kiln publish digitalocean shop --region nyc3,ams3 --space my-bucket",
     "transfers the image to a second region"},
    {"kiln publish digitalocean shop --region nyc3 --url https://files.example/shop.qcow2",
     "imports the disk from a web server, where you have put it"},
    {"kiln publish digitalocean shop --region nyc3 --space my-bucket --no-wait",
     "prints the image's id and ends; 'kiln publish resume' finishes it"},
    {"kiln publish digitalocean shop --region nyc3 --space my-bucket --dry-run",
     "shows what would be sent"},
});
constexpr std::array kOptions{
    kRegionOption,
    kSpaceOption,
    kUrlOption,
    kSpaceEndpointOption,
    kNameOption,
    kTagOption,
    kFormatOption,
    kNoWaitOption,
    kPublishTimeoutOption,
    kStandinOption,
    kNoCheckOption,
    kDryRunOption,
    kApiUrlOption};
constexpr std::array kPositionals{kDiskPositional};

std::vector<std::string> regions_of(const Arguments& arguments) {
    std::vector<std::string> out;
    for (const std::string& value : arguments.values(kRegionOption.name)) {
        for (const std::string& region : split(value, ',')) {
            const bool is_slug =
                !region.empty() && region.size() <= 32 &&
                std::all_of(region.begin(), region.end(), [](char c) {
                    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
                });
            if (!is_slug) {
                throw UsageError(
                    fmt::format("'--region {}': expected names such as nyc3,ams3", excerpt(value)));
            }
            if (std::find(out.begin(), out.end(), region) == out.end()) {
                out.push_back(region);
            }
        }
    }
    if (out.empty()) {
        throw UsageError("--region is missing: where is the image to be?")
            .with_hint("such as --region nyc3");
    }
    return out;
}

std::vector<std::string> tags_of(const Arguments& arguments) {
    for (const std::string& tag : arguments.values(kTagOption.name)) {
        if (!is_cloud_tag(tag)) {
            throw UsageError(fmt::format(
                "'--tag {}': expected letters, digits, ':', '-' and '_', at most 255",
                excerpt(tag)));
        }
    }
    return arguments.values(kTagOption.name);
}

ImageResult disk_of(const Arguments& arguments, Context& context) {
    const auto format = arguments.value(kFormatOption.name);
    const ImageResults results = find_results(
        arguments.positional(kDiskPositional.name),
        format ? find_image_format(*format) : std::nullopt,
        current_project(context).results);
    if (!results.disk) {
        throw UsageError(fmt::format("there is no disk in '{}'", results.shown))
            .with_hint("DigitalOcean imports disks: add 'qcow2' to the images of the recipe");
    }
    require_importable(results.disk->path, results.disk->format);
    return *results.disk;
}

std::string name_of_image(const ImageResult& disk, const Arguments& arguments) {
    const std::string file = disk.path.filename().string();
    const std::string_view suffix = info_of(disk.format).suffix;
    const std::string fallback =
        file.ends_with(suffix) ? file.substr(0, file.size() - suffix.size()) : file;
    std::string name = arguments.value_or(kNameOption.name, fallback);
    constexpr std::size_t kLongest = 255;
    if (name.empty() || name.size() > kLongest || printable(name) != name) {
        throw UsageError(fmt::format("'--name {}': not a valid name of an image", excerpt(name)));
    }
    return name;
}

void set_upload(PublishJournal& journal, const Arguments& arguments, Context& context) {
    const auto url = arguments.value(kUrlOption.name);
    const auto space = arguments.value(kSpaceOption.name);
    if (url.has_value() == space.has_value()) {
        throw UsageError(
            url ? "--url and --space are mutually exclusive"
                : "--space or --url is missing: from where is DigitalOcean to fetch "
                  "the disk?");
    }
    if (url) {
        journal.upload_kind = kUrlUpload;
        journal.upload_target = *url;
        return;
    }
    const std::size_t at = space->find('@');
    const std::string endpoint = arguments.value_or(kSpaceEndpointOption.name, "");
    if ((*space + endpoint).find(' ') != std::string::npos) {
        throw UsageError("--space and --space-endpoint: names of buckets and URLs have no spaces");
    }
    journal.upload_kind = has_spaces_keys(context) ? kSpacesUpload : kSpacesKeyUpload;
    journal.upload_target = fmt::format(
        "{} {} {}",
        space->substr(0, at),
        at == std::string::npos ? journal.regions.front() : space->substr(at + 1),
        endpoint);
}

PublishJournal journal_of(const ImageResult& disk, const Arguments& arguments, Context& context) {
    PublishJournal journal;
    journal.regions = regions_of(arguments);
    journal.tags = tags_of(arguments);
    journal.api_url = api_url_of(arguments);
    journal.started = std::time(nullptr);
    journal.image_name = name_of_image(disk, arguments);
    set_upload(journal, arguments, context);
    Job job = context.console.start(fmt::format("digest '{}'", disk.path.filename().string()));
    journal.disk = {fs::absolute(disk.path), disk.format, sha256_file(disk.path.string())};
    job.finish();
    journal.description = fmt::format("kiln {}", journal.disk.digest.to_string());
    return journal;
}

/// What is looked at before anything is sent, unless the account has an image of this content.
void check_all(
    PublishJournal& journal,
    const ImageResult& disk,
    DigitalOceanApi& api,
    ImageUpload& upload,
    const Arguments& arguments,
    Context& context) {
    require_regions(list_regions(api), journal.regions);
    if (find_published(api, journal)) {
        return;
    }
    journal.distribution = "Unknown";
    if (!arguments.flag(kNoCheckOption.name)) {
        journal.distribution = require_bootable(
            disk.path,
            disk.format,
            {.allow_standin = arguments.flag(kStandinOption.name)},
            context.console);
    }
    upload.check(as_it_is(journal.disk));
}

ExitCode dry_run(
    PublishJournal journal,
    const ImageResult& disk,
    HttpClient& http,
    const Arguments& arguments,
    Context& context) {
    RequestList requests(is_sent_in_dry_run);
    DryRunHttpClient dry(http, pretend_digitalocean);
    TracedHttpClient listed(
        dry, shown_api_parameters(), [&](const TracedRequest& request) { requests.add(request); });
    ApiOptions api_options;
    api_options.base_url = journal.api_url;
    api_options.clock.wait = [](std::chrono::milliseconds) {}; // nothing is waited for
    DigitalOceanApi api = digitalocean_api(listed, std::move(api_options), context);
    const std::unique_ptr<ImageUpload> real = upload_of(journal, api, listed, context);
    DryRunUpload upload(*real);
    journal.id = "00000000";
    check_all(journal, disk, api, upload, arguments, context);
    ImagePublisher publisher(
        api, upload, journal, [] {}, [&] { return as_it_is(journal.disk); }, context.console);
    PublishOptions options;
    options.has_looked = true;
    static_cast<void>(publisher.run(options));
    if (context.global.json) {
        context.io.out << json_text(nlohmann::ordered_json{
                              {"dry_run", true}, {"requests", requests.json()}})
                       << '\n';
    } else {
        requests.print(context.io.out);
    }
    return ExitCode::ok;
}

ExitCode run(const Arguments& arguments, Context& context) {
    const ImageResult disk = disk_of(arguments, context);
    PublishOptions options = publish_options(arguments);
    PublishJournal journal = journal_of(disk, arguments, context);
    const InputServices services(context);
    const InputContext in = services.context();
    const auto http = with_api_messages(in.http, context.console);
    if (arguments.flag(kDryRunOption.name)) {
        return dry_run(std::move(journal), disk, *http, arguments, context);
    }
    const JournalStore store = journal_store(context); // before anything that takes long
    ApiOptions api_options;
    api_options.base_url = journal.api_url;
    DigitalOceanApi api = digitalocean_api(*http, std::move(api_options), context);
    const std::unique_ptr<ImageUpload> upload = upload_of(journal, api, *http, context);
    check_all(journal, disk, api, *upload, arguments, context);
    OpenJournal open = store.create(std::move(journal));
    context.console.notice(fmt::format("publish {}", open->id));
    options.has_looked = true;
    return run_publish(open, api, options, context, *upload);
}

} // namespace

const CommandSpec kPublishDigitalOceanCommand{
    .name = "publish digitalocean",
    .summary = "make a disk an image of a DigitalOcean account",
    .description =
        "Imports a disk into a DigitalOcean account as a custom image and prints the image's id. "
        "DigitalOcean fetches disks from web servers only. With --space kiln uploads it to a "
        "bucket of "
        "Spaces, compressed, in parts that are resumed, public under a name that nobody can guess, "
        "and removes it as soon as the image is available. --url says where you have put it "
        "yourself.\n"
        "\n"
        "The disk is checked first: format and size, boot loader, cloud-init, ssh server, and the "
        "rules of 'kiln lint'. The image is tagged with the digest of the disk; publishing the "
        "same "
        "disk again finds it and only transfers it to the regions where it is not.\n"
        "\n"
        "Imports and transfers may take an hour and more. Whatever ends kiln meanwhile, 'kiln "
        "publish resume ID' goes on, and 'kiln publish cleanup ID' gives up and leaves nothing "
        "behind; the ID is printed at the start.\n"
        "\n"
        "The token of DigitalOcean's API comes from DIGITALOCEAN_ACCESS_TOKEN or "
        "DIGITALOCEAN_TOKEN, the first line of the file DIGITALOCEAN_TOKEN_FILE, or what the "
        "command DIGITALOCEAN_TOKEN_COMMAND prints. It is sent to the API only and never shown. "
        "The "
        "keys of Spaces come from SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY; without them "
        "a key "
        "for this bucket is made through the API and deleted afterwards.",
    .examples = kExamples,
    .options = kOptions,
    .positionals = kPositionals,
    .run = run};

} // namespace kiln
