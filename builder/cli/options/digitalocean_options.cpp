// SPDX-License-Identifier: MIT
#include "cli/options/digitalocean_options.hpp"

#include "base/error.hpp"
#include "base/http/http_trace.hpp"
#include "base/io/paths.hpp"
#include "base/json.hpp"
#include "base/parallel.hpp"
#include "base/text.hpp"
#include "publish/digitalocean/credentials.hpp"
#include "publish/digitalocean/spaces_keys.hpp"
#include "publish/digitalocean/spaces_upload.hpp"
#include "publish/digitalocean/url_upload.hpp"
#include "publish/s3/s3_credentials.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <ostream>
#include <utility>

namespace kiln {

namespace {

struct TimeUnit {
    char letter;
    std::uint64_t seconds;
};

constexpr auto kTimeUnits = std::to_array<TimeUnit>({{'s', 1}, {'m', 60}, {'h', 3600}});

void print_report(const PublishReport& report, const PublishJournal& journal, Context& context) {
    const CloudImage& image = report.image;
    if (context.global.json) {
        const nlohmann::ordered_json json{
            {"id", image.id},
            {"publish", journal.id},
            {"name", image.name},
            {"status", image.status},
            {"regions", image.regions},
            {"tags", image.tags},
            {"digest", journal.disk.digest.to_string()},
            {"was_there", report.was_there},
            {"waiting", report.is_waiting}};
        context.io.out << json_text(json) << '\n';
        return;
    }
    context.io.out << image.id << '\n';
    if (report.is_waiting) {
        context.console.notice(fmt::format("image {} is {}", image.id, describe_step(journal)));
        context.console.notice(fmt::format("next: kiln publish resume {}", journal.id));
        return;
    }
    context.console.notice(fmt::format(
        "image {} is {} in {}",
        image.id,
        report.was_there ? "there already, available" : "available",
        printable(join(image.regions, ", "))));
    context.console.notice("next: kiln image list");
}

} // namespace

std::chrono::seconds parse_timeout(const std::string& text) {
    constexpr std::uint64_t kMost = std::uint64_t{30} * 24 * 3600;
    for (const TimeUnit& unit : kTimeUnits) {
        if (text.empty() || text.back() != unit.letter) {
            continue;
        }
        const auto number = parse_unsigned(text.substr(0, text.size() - 1));
        if (number && *number > 0 && *number <= kMost / unit.seconds) {
            return std::chrono::seconds(*number * unit.seconds);
        }
    }
    throw UsageError(fmt::format(
        "'--timeout {}': expected a time such as 90m or 3h, at most 720h", excerpt(text)));
}

PublishOptions publish_options(const Arguments& arguments) {
    PublishOptions options;
    options.wait = !arguments.flag(kNoWaitOption.name);
    if (const auto timeout = arguments.value(kPublishTimeoutOption.name)) {
        options.timeout = parse_timeout(*timeout);
    }
    return options;
}

std::string api_url_of(const Arguments& arguments) {
    return arguments.value_or(kApiUrlOption.name, std::string(kDigitalOceanApi));
}

JournalStore journal_store(Context& context) {
    return JournalStore(own_state_root(lookup_in(context.io.env)));
}

std::vector<std::string_view> shown_api_parameters() {
    return {"tag_name", "private", "page", "per_page"};
}

std::unique_ptr<HttpClient> with_api_messages(HttpClient& http, Console& console) {
    return std::make_unique<TracedHttpClient>(
        http, shown_api_parameters(), [&console](const TracedRequest& request) {
            console.debug(fmt::format(
                "{} {}: {}",
                request.method,
                request.url,
                request.status == 0 ? "failed" : std::to_string(request.status)));
        });
}

DigitalOceanApi digitalocean_api(HttpClient& http, ApiOptions options, Context& context) {
    return DigitalOceanApi(
        http, find_digitalocean_token(context.io.env, context.io.processes), std::move(options));
}

bool has_spaces_keys(Context& context) {
    return find_s3_credentials(context.io.env).has_value();
}

std::unique_ptr<ImageUpload>
upload_of(const PublishJournal& journal, DigitalOceanApi& api, HttpClient& http, Context& context) {
    if (journal.upload_kind == kUrlUpload) {
        const auto base = Url::parse(journal.api_url);
        return std::make_unique<UrlUpload>(
            http, journal.upload_target, base && base->is_loopback());
    }
    // "BUCKET REGION ENDPOINT", the last of which may be empty.
    const std::vector<std::string> words = split(journal.upload_target, ' ');
    const bool has_own_key = journal.upload_kind == kSpacesKeyUpload;
    if ((journal.upload_kind != kSpacesUpload && !has_own_key) || words.size() != 3) {
        throw Error(
            fmt::format("this kiln knows no uploads of kind '{}'", excerpt(journal.upload_kind)));
    }
    const SpacesOptions options{
        .region = words.at(1), .bucket = words.at(0), .endpoint = words.at(2)};
    const auto make = [&http, options](S3Credentials keys) -> std::unique_ptr<ImageUpload> {
        return std::make_unique<SpacesUpload>(http, options, std::move(keys));
    };
    if (has_own_key) {
        return std::make_unique<UploadWithOwnKey>(api, options.bucket, make);
    }
    auto keys = find_s3_credentials(context.io.env);
    if (!keys) {
        throw UsageError("the access key of Spaces with which this publish began is missing")
            .with_hint("set SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY");
    }
    return make(std::move(*keys));
}

UploadFile file_of(const PublishJournal& journal, const fs::path& folder, Context& context) {
    if (journal.upload_kind == kUrlUpload) {
        return as_it_is(journal.disk);
    }
    return prepare_disk(
        journal.disk, folder, default_jobs(), context.console, context.io.processes);
}

ExitCode run_publish(
    OpenJournal& journal,
    DigitalOceanApi& api,
    const PublishOptions& options,
    Context& context,
    ImageUpload& upload) {
    ImagePublisher publisher(
        api,
        upload,
        *journal,
        [&] { journal.save(); },
        [&] { return file_of(*journal, journal.folder(), context); },
        context.console);
    const auto is_left = [&] { return !journal->is_finished(); };
    try {
        print_report(publisher.run(options), *journal, context);
        return ExitCode::ok;
    } catch (Error& error) {
        if (is_left()) {
            error.set_hint_if_empty(fmt::format(
                "'kiln publish resume {0}' goes on, 'kiln publish cleanup {0}' gives up",
                journal->id));
        }
        throw;
    } catch (const Interrupted&) {
        if (is_left()) {
            context.console.notice(
                fmt::format("publish {}: {}", journal->id, describe_step(*journal)));
            context.console.notice(fmt::format("next: kiln publish resume {}", journal->id));
        }
        throw;
    }
}

std::string describe_step(const PublishJournal& journal) {
    switch (journal.step) {
    case PublishStep::prepare:
    case PublishStep::upload:
        return "not uploaded yet";
    case PublishStep::create:
        return "uploaded, the image is not requested yet or its id is not known";
    case PublishStep::import:
        return "being imported";
    case PublishStep::transfer:
        return "available, being transferred to further regions";
    case PublishStep::done:
        return "published";
    case PublishStep::failed:
        return "failed: " + excerpt(journal.failure);
    }
    return {};
}

} // namespace kiln
