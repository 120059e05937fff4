// SPDX-License-Identifier: MIT
//
// The commands that go on with a publish, or give it up.
#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/options/digitalocean_options.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <ostream>

namespace kiln {

namespace {

constexpr PositionalSpec kIdPositional{
    .name = "ID", .doc = "of the publish, as 'kiln publish list' shows it"};
constexpr PositionalSpec kOptionalIdPositional{
    .name = "ID",
    .doc = "of the publish; without it all are cleaned up that no process works on",
    .count = Count::optional};
constexpr OptionSpec kDeleteImageOption{
    .name = "--delete-image", .doc = "delete the image of an unfinished publish as well"};

/// What is needed to work on a journal.
struct Workshop {
    explicit Workshop(Context& context)
        : services(context), in(services.context()),
          http(with_api_messages(in.http, context.console)) {}

    InputServices services;
    InputContext in;
    std::unique_ptr<HttpClient> http;

    [[nodiscard]] DigitalOceanApi api(const PublishJournal& journal, Context& context) const {
        ApiOptions options;
        options.base_url = journal.api_url;
        return digitalocean_api(*http, std::move(options), context);
    }
};

ExitCode run_resume(const Arguments& arguments, Context& context) {
    const PublishOptions options = publish_options(arguments);
    OpenJournal journal = journal_store(context).open(arguments.positional(kIdPositional.name));
    const Workshop workshop(context);
    DigitalOceanApi api = workshop.api(*journal, context);
    const auto upload = upload_of(*journal, api, *workshop.http, context);
    return run_publish(journal, api, options, context, *upload);
}

void clean_up(OpenJournal& journal, bool delete_image, Context& context) {
    const std::string id = journal->id;
    const Workshop workshop(context);
    // What is done and removed needs no token.
    const bool is_over =
        journal->is_finished() && (journal->is_upload_removed || !journal->is_upload_begun);
    if (!is_over) {
        DigitalOceanApi api = workshop.api(*journal, context);
        const auto upload = upload_of(*journal, api, *workshop.http, context);
        ImagePublisher publisher(
            api,
            *upload,
            *journal,
            [&] { journal.save(); },
            [&] { return journal->file; },
            context.console);
        publisher.clean_up(delete_image);
    }
    journal.remove();
    context.io.out << fmt::format("{} cleaned up\n", id);
}

ExitCode run_cleanup(const Arguments& arguments, Context& context) {
    const JournalStore store = journal_store(context);
    const bool delete_image = arguments.flag(kDeleteImageOption.name);
    if (const auto id = arguments.optional_positional(kOptionalIdPositional.name)) {
        OpenJournal journal = store.open(*id);
        clean_up(journal, delete_image, context);
        return ExitCode::ok;
    }
    std::vector<std::string> failures;
    ExitCode code = ExitCode::failed;
    for (const PublishJournal& each : store.list()) {
        try {
            OpenJournal journal = store.open(each.id);
            clean_up(journal, delete_image, context);
        } catch (const Error& error) {
            code = error.exit_code();
            failures.push_back(fmt::format("{}: {}", each.id, error.message()));
        }
    }
    if (!failures.empty()) {
        const std::size_t count = failures.size();
        throw Error(fmt::format("{} publishes could not be cleaned up", count), code)
            .with_details(std::move(failures))
            .with_hint("'kiln publish cleanup ID' says more about one");
    }
    return ExitCode::ok;
}

ExitCode run_list(const Arguments&, Context& context) {
    const std::vector<PublishJournal> journals = journal_store(context).list();
    if (context.global.json) {
        auto json = nlohmann::ordered_json::array();
        for (const PublishJournal& each : journals) {
            json.push_back(
                {{"publish", each.id},
                 {"name", each.image_name},
                 {"started", format_rfc3339(each.started)},
                 {"step", name_of(each.step)},
                 {"image", each.image},
                 {"regions", each.regions},
                 {"upload", each.is_upload_begun && !each.is_upload_removed},
                 {"failure", each.failure}});
        }
        context.io.out << json_text(json) << '\n';
        return ExitCode::ok;
    }
    for (const PublishJournal& each : journals) {
        context.io.out << fmt::format(
            "{}  {}  {:<16} {:>10}  {}\n",
            each.id,
            format_rfc3339(each.started),
            printable(each.image_name),
            each.image == 0 ? "-" : std::to_string(each.image),
            describe_step(each));
    }
    return ExitCode::ok;
}

constexpr auto kResumeExamples = std::to_array<Example>({
    {"kiln publish resume 3f9a1c04", "goes on where the publish is, and waits for its end"},
    {"kiln publish resume 3f9a1c04 --no-wait", "does what can be done now, and ends"},
});
constexpr auto kCleanupExamples = std::to_array<Example>({
    {"kiln publish cleanup 3f9a1c04", "removes the upload and forgets the publish"},
    {"kiln publish cleanup 3f9a1c04 --delete-image", "deletes the incomplete image, too"},
    {"kiln publish cleanup", "the same for all publishes"},
});
constexpr auto kListExamples = std::to_array<Example>({
    {"kiln publish list", "shows where each publish is"},
    {"kiln publish list --json", "print the same as JSON"},
});
constexpr std::array kResumePositionals{kIdPositional};
constexpr std::array kCleanupPositionals{kOptionalIdPositional};
constexpr std::array kResumeOptions{kNoWaitOption, kPublishTimeoutOption};
constexpr std::array kCleanupOptions{kDeleteImageOption};

} // namespace

const CommandSpec kPublishResumeCommand{
    .name = "publish resume",
    .summary = "go on with a publish that was interrupted",
    .description = "Goes on with a publish that was killed, interrupted or not waited for. Every "
                   "step finds out "
                   "whether it was done: nothing is uploaded, created or transferred twice. The "
                   "credentials come "
                   "from the environment, as for 'kiln publish digitalocean'.",
    .examples = kResumeExamples,
    .options = kResumeOptions,
    .positionals = kResumePositionals,
    .run = run_resume};

const CommandSpec kPublishCleanupCommand{
    .name = "publish cleanup",
    .summary = "give up a publish and remove what it left",
    .description =
        "Removes the upload of a publish and forgets the publish. An image that is still being "
        "imported is left alone, with its upload, unless --delete-image is given; images of "
        "finished "
        "publishes are never deleted (see 'kiln image delete').",
    .examples = kCleanupExamples,
    .options = kCleanupOptions,
    .positionals = kCleanupPositionals,
    .run = run_cleanup};

const CommandSpec kPublishListCommand{
    .name = "publish list",
    .summary = "list publishes and where they are",
    .description = "Lists the publishes of this user on this host that were not cleaned up, the "
                   "oldest first. Does not ask the remote; 'kiln image list' does.",
    .examples = kListExamples,
    .run = run_list};

} // namespace kiln
