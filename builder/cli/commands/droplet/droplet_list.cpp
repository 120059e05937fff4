// SPDX-License-Identifier: MIT
//
// The droplets of a DigitalOcean account.
#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/commands/droplet/droplet_account.hpp"
#include "publish/digitalocean/images.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <ostream>

namespace kiln {

namespace {

constexpr OptionSpec kTagOption{
    .name = "--tag", .value = "TAG", .doc = "droplets with that tag (default: kiln)"};
constexpr OptionSpec kAllOption{.name = "--all", .doc = "all droplets of the account"};
constexpr PositionalSpec kDropletPositional{.name = "DROPLET", .doc = "id or name of a droplet"};

std::string line_of(const Droplet& droplet) {
    const std::string& address =
        droplet.public_address.empty() ? droplet.private_address : droplet.public_address;
    return printable(fmt::format(
        "{:>10}  {:<7} {:<15} {:<5} {:<14} {}",
        droplet.id,
        droplet.status,
        address.empty() ? "-" : address,
        droplet.region,
        droplet.size,
        droplet.name));
}

std::vector<Droplet> wanted_droplets(const Arguments& arguments, DigitalOceanApi& api) {
    const auto tag = arguments.value(kTagOption.name);
    if (arguments.flag(kAllOption.name)) {
        if (tag) {
            throw UsageError("--all and --tag are mutually exclusive");
        }
        return all_droplets(api);
    }
    if (tag && !is_cloud_tag(*tag)) {
        throw UsageError(fmt::format("'--tag {}' is not a tag", excerpt(*tag)))
            .with_hint("tags have letters, digits, ':', '-' and '_'");
    }
    return droplets_with_tag(api, tag.value_or("kiln"));
}

ExitCode run_list(const Arguments& arguments, Context& context) {
    DropletAccount account(arguments, context);
    std::vector<Droplet> droplets = wanted_droplets(arguments, account.api());
    std::sort(droplets.begin(), droplets.end(), [](const Droplet& a, const Droplet& b) {
        return std::pair(a.created_at, a.id) < std::pair(b.created_at, b.id);
    });
    auto json = nlohmann::ordered_json::array();
    for (const Droplet& droplet : droplets) {
        if (context.global.json) {
            json.push_back(json_of(droplet));
        } else {
            context.io.out << line_of(droplet) << '\n';
        }
    }
    if (context.global.json) {
        context.io.out << json_text(json) << '\n';
    }
    return ExitCode::ok;
}

ExitCode run_show(const Arguments& arguments, Context& context) {
    DropletAccount account(arguments, context);
    const Droplet droplet =
        droplet_of(account.api(), arguments.positional(kDropletPositional.name));
    if (context.global.json) {
        context.io.out << json_text(json_of(droplet)) << '\n';
        return ExitCode::ok;
    }
    const auto row = [&](std::string_view name, const std::string& value) {
        context.io.out << fmt::format("{:<16} {}\n", name, value.empty() ? "-" : printable(value));
    };
    row("id", std::to_string(droplet.id));
    row("name", droplet.name);
    row("status", droplet.status);
    row("region", droplet.region);
    row("size", droplet.size);
    row("image", std::to_string(droplet.image));
    row("address", droplet.public_address);
    row("private address", droplet.private_address);
    row("tags", join(droplet.tags, ", "));
    row("volumes", join(droplet.volumes, ", "));
    row("created", droplet.created_at);
    return ExitCode::ok;
}

constexpr auto kListExamples = std::to_array<Example>({
    {"kiln droplet list", "list the droplets that kiln created, the oldest first"},
    {"kiln droplet list --all", "list all droplets of the account"},
    {"kiln droplet list --tag prod --json", "print droplets with a tag as JSON"},
});
constexpr auto kShowExamples = std::to_array<Example>({
    {"kiln droplet show pause.example.org", "show one droplet"},
    {"kiln droplet show 3164444 --json", "print the same as JSON, by its id"},
});
constexpr std::array kListOptions{kTagOption, kAllOption, kApiUrlOption};
constexpr std::array kShowOptions{kApiUrlOption};
constexpr std::array kShowPositionals{kDropletPositional};

} // namespace

const CommandSpec kDropletListCommand{
    .name = "droplet list",
    .summary = "list the droplets of a DigitalOcean account",
    .description = "Lists droplets: id, status, address, region, size and name. Without options "
                   "those that kiln created, which have the tag 'kiln'. Credentials as for 'kiln "
                   "publish digitalocean'.",
    .examples = kListExamples,
    .options = kListOptions,
    .run = run_list};

const CommandSpec kDropletShowCommand{
    .name = "droplet show",
    .summary = "show a droplet of a DigitalOcean account",
    .description = "Shows a droplet, whoever created it. A name that several droplets have is "
                   "refused, with the list of them.",
    .examples = kShowExamples,
    .options = kShowOptions,
    .positionals = kShowPositionals,
    .run = run_show};

} // namespace kiln
