// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/http/proxy.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/commands/droplet/droplet_account.hpp"
#include "cli/commands/droplet/droplet_wish.hpp"
#include "publish/droplet/create_droplet.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <ostream>

namespace kiln {

namespace {

/// Whatever certificate a new site has is its own, and it is sent nothing.
CurlHttpClient site_client(const Environment& env) {
    const EnvironmentProxies proxies = environment_proxies(env);
    HttpOptions options;
    options.any_certificate = true;
    options.connect_timeout = std::chrono::seconds(10);
    options.stall_timeout = std::chrono::seconds(20);
    options.time_beside_size = std::chrono::seconds(30);
    options.proxy = [proxies](HttpPurpose, const Url& url) {
        return proxies.for_scheme(url.scheme());
    };
    options.no_proxy = proxies.no_proxy;
    return CurlHttpClient(std::move(options));
}

void print_report(const CreateReport& report, const DropletWish& wish, Context& context) {
    const Droplet& droplet = report.droplet;
    const std::string& address = wish.is_private ? droplet.private_address : droplet.public_address;
    if (context.global.json) {
        nlohmann::ordered_json json = json_of(droplet);
        json["hosts"] = wish.hosts;
        json["url"] = report.url;
        json["finished"] = report.is_finished;
        context.io.out << json_text(json) << '\n';
    } else {
        context.io.out << droplet.id << '\n';
    }
    if (!report.is_finished) {
        context.console.notice(fmt::format(
            "droplet {} is requested; the same command without --no-wait finishes it", droplet.id));
        return;
    }
    if (wish.is_private) {
        context.console.notice(fmt::format(
            "droplet {} runs at {}, which is reached within its VPC only", droplet.id, address));
        return;
    }
    context.console.notice(fmt::format("droplet {} runs at {}", droplet.id, address));
    // cloud-init gives the keys to the user that the image's configuration names.
    context.console.notice(fmt::format(
        "log in: ssh debian@{0}, or ssh root@{0} where the image lets root in", address));
    if (!report.url.empty()) {
        context.console.notice(fmt::format("{} answers", redact_url(report.url)));
    }
}

ExitCode dry_run(
    const DropletWish& wish,
    const CreateOptions& options,
    const Arguments& arguments,
    Context& context) {
    DropletAccount account(arguments, context, DropletAccount::Mode::dry_run);
    CreateJournal journal;
    journal.id = std::string(16, '0');
    const CreatePlan plan = plan_create(account.api(), wish, journal);
    for (const std::string& line : plan.lines()) {
        context.console.notice("would " + line);
    }
    constexpr int kOk = 200;
    const DropletProbe probe{
        [](const std::string&, std::uint16_t) { return std::string("SSH-2.0"); },
        [](const std::string&) { return kOk; }};
    DropletCreator creator(account.api(), plan, journal, [] {}, probe, context.console);
    static_cast<void>(creator.run(options));
    account.print_requests(context);
    return ExitCode::ok;
}

ExitCode run(const Arguments& arguments, Context& context) {
    const DropletWish wish = droplet_wish(arguments, context);
    const CreateOptions options = create_options(arguments);
    check_wish(wish);
    if (arguments.flag(kDropletDryRunOption.name)) {
        return dry_run(wish, options, arguments, context);
    }
    DropletAccount account(arguments, context);
    OpenCreateJournal journal = create_journals(context).open(account.api().base_url(), wish.name);
    const Finally forget([&] {
        if (journal->is_blank()) {
            journal.remove();
        }
    });
    const CreatePlan plan = plan_create(account.api(), wish, *journal);
    for (const std::string& line : plan.lines()) {
        context.console.info(line);
    }
    CurlHttpClient site = site_client(context.io.env);
    const DropletProbe probe = network_probe(site);
    DropletCreator creator(
        account.api(), plan, *journal, [&] { journal.save(); }, probe, context.console);
    try {
        const CreateReport report = creator.run(options);
        if (report.is_finished) {
            journal.remove();
        }
        print_report(report, wish, context);
        return ExitCode::ok;
    } catch (const Interrupted&) {
        if (!journal->is_blank()) {
            context.console.notice(fmt::format(
                "next: the same command goes on, 'kiln droplet destroy {}' undoes it", wish.name));
        }
        throw;
    }
}

constexpr auto kExamples = std::to_array<Example>({
    {"kiln droplet create www.example.org --image pause --region nyc3 --size s-2vcpu-4gb "
     "--ssh-key laptop",
     "creates a droplet from the newest image that kiln published as 'pause'"},
    {"kiln droplet create www.example.org --image pause --region nyc3 --size s-2vcpu-4gb "
     "--ssh-key laptop --domain www.example.org --volume pause-data:50 --answers answers.yaml",
     "points the name to it, gives it a new data volume, and answers first-run's questions"},
    {"kiln droplet create www.example.org --image 7555620 --region nyc3 --size s-2vcpu-4gb "
     "--ssh-key laptop --dry-run",
     "shows what would be sent"},
});
constexpr std::array kPositionals{kDropletNamePositional};

} // namespace

const CommandSpec kDropletCreateCommand{
    .name = "droplet create",
    .summary = "create a droplet from a published image",
    .description =
        "Creates a droplet of a DigitalOcean account, and waits until its ssh server answers. "
        "Everything is looked up and checked first: the image and its regions, the size, the SSH "
        "keys, the volume, the domain, and first-run's answers. A droplet of the same name is "
        "refused.\n"
        "\n"
        "Whatever ends kiln meanwhile, the same command goes on, and 'kiln droplet destroy NAME' "
        "undoes it. Nothing is created twice.\n"
        "\n"
        "--answers gives first-run's answers (docs/first-run.md) to the droplet as cloud-init "
        "user-data; --answer takes a single one from a file, such as a password. No secret is an "
        "argument, and none is shown. With answers, kiln also waits until https://ADDRESS/status "
        "answers with 200.\n"
        "\n"
        "The token of DigitalOcean's API comes from DIGITALOCEAN_ACCESS_TOKEN or "
        "DIGITALOCEAN_TOKEN, the first line of the file DIGITALOCEAN_TOKEN_FILE, or what the "
        "command DIGITALOCEAN_TOKEN_COMMAND prints.",
    .examples = kExamples,
    .options = kCreateOptions,
    .positionals = kPositionals,
    .run = run};

} // namespace kiln
