// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/commands/droplet/droplet_account.hpp"
#include "cli/options/confirm.hpp"
#include "publish/droplet/destroy_droplet.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <optional>
#include <ostream>

namespace kiln {

namespace {

constexpr PositionalSpec kDropletPositional{.name = "DROPLET", .doc = "id or name of a droplet"};
constexpr OptionSpec kWithVolumesOption{
    .name = "--with-volumes", .doc = "delete its volumes too, with all their data"};

/// What is to be destroyed, and the journal of the create that it ends.
struct Target {
    DestroyPlan plan;
    std::optional<OpenCreateJournal> journal;
};

Target find_target(const Arguments& arguments, DigitalOceanApi& api, Context& context) {
    const std::string& word = arguments.positional(kDropletPositional.name);
    const bool with_volumes = arguments.flag(kWithVolumesOption.name);
    const CreateJournalStore journals = create_journals(context);
    Target out;
    if (const auto id = parse_unsigned(word)) {
        out.plan = plan_destroy(api, *id, with_volumes);
        out.journal = journals.find(api.base_url(), out.plan.droplets.front().name);
        if (out.journal && !out.plan.droplets.front().has_tag((*out.journal)->own_tag())) {
            out.journal.reset();
        }
        return out;
    }
    if (!is_droplet_name(word)) {
        throw UsageError(fmt::format("'{}' is not the id or name of a droplet", excerpt(word)));
    }
    out.journal = journals.find(api.base_url(), word);
    out.plan = plan_destroy(api, word, out.journal ? &**out.journal : nullptr, with_volumes);
    return out;
}

nlohmann::ordered_json json_of_plan(const DestroyPlan& plan) {
    nlohmann::ordered_json out{
        {"droplets", nlohmann::ordered_json::array()},
        {"records", nlohmann::ordered_json::array()},
        {"volumes", nlohmann::ordered_json::array()},
        {"kept_volumes", nlohmann::ordered_json::array()}};
    for (const Droplet& each : plan.droplets) {
        out["droplets"].push_back(each.id);
    }
    for (const PlacedRecord& each : plan.records) {
        out["records"].push_back(each.description());
    }
    for (const Volume& each : plan.deleted_volumes) {
        out["volumes"].push_back(each.name);
    }
    for (const Volume& each : plan.kept_volumes) {
        out["kept_volumes"].push_back(each.name);
    }
    return out;
}

void print_destroyed(const DestroyPlan& plan, Context& context) {
    if (context.global.json) {
        context.io.out << json_text(json_of_plan(plan)) << '\n';
        return;
    }
    for (const Droplet& droplet : plan.droplets) {
        context.io.out << fmt::format("{} destroyed\n", droplet.id);
    }
    for (const Volume& volume : plan.kept_volumes) {
        context.console.notice(
            fmt::format("volume '{}' was kept and costs what it did", printable(volume.name)));
    }
}

ExitCode run(const Arguments& arguments, Context& context) {
    const bool is_dry = arguments.flag(kDropletDryRunOption.name);
    DropletAccount account(
        arguments, context, is_dry ? DropletAccount::Mode::dry_run : DropletAccount::Mode::real);
    Target target = find_target(arguments, account.api(), context);
    for (const std::string& line : target.plan.lines()) {
        context.console.notice(line);
    }
    if (is_dry) {
        run_destroy(account.api(), target.plan, context.console, AwaitGone::no);
        account.print_requests(context);
        return ExitCode::ok;
    }
    if (!target.plan.is_empty() && !confirm(arguments, context, "destroy all that for good?")) {
        return ExitCode::ok;
    }
    run_destroy(account.api(), target.plan, context.console, AwaitGone::yes);
    if (target.journal) {
        target.journal->remove();
    }
    print_destroyed(target.plan, context);
    return ExitCode::ok;
}

constexpr auto kExamples = std::to_array<Example>({
    {"kiln droplet destroy pause.example.org", "shows what goes and asks"},
    {"kiln droplet destroy 3164444 --yes", "destroys a droplet by its id without asking"},
    {"kiln droplet destroy test --with-volumes --yes", "deletes its volumes too"},
});
constexpr std::array kOptions{kWithVolumesOption, kYesOption, kDropletDryRunOption, kApiUrlOption};
constexpr std::array kPositionals{kDropletPositional};

} // namespace

const CommandSpec kDropletDestroyCommand{
    .name = "droplet destroy",
    .summary = "destroy a droplet of a DigitalOcean account",
    .description =
        "Destroys a droplet and the DNS records of the account's domains that hold its address, "
        "after showing them. Its volumes stay unless --with-volumes is given. Droplets are "
        "destroyed by id only, never by tag; a name that several droplets have is refused.\n"
        "\n"
        "With the name of a create that was not finished, everything that it made is removed, "
        "volumes that no droplet has used included.",
    .examples = kExamples,
    .options = kOptions,
    .positionals = kPositionals,
    .run = run};

} // namespace kiln
