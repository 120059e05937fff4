// SPDX-License-Identifier: MIT
#include "cli/commands/droplet/droplet_account.hpp"

#include "base/error.hpp"
#include "base/http/http_trace.hpp"
#include "base/io/paths.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "publish/digitalocean/credentials.hpp"
#include "publish/droplet/create_plan.hpp"
#include "publish/droplet/droplet_dry_run.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <ostream>
#include <utility>

namespace kiln {

DropletAccount::DropletAccount(const Arguments& arguments, Context& context, Mode mode)
    : services_(context), in_(services_.context()),
      http_(with_api_messages(in_.http, context.console)), requests_(is_droplet_request_sent) {
    ApiOptions options;
    options.base_url = api_url_of(arguments);
    HttpClient* client = http_.get();
    if (mode == Mode::dry_run) {
        options.clock.wait = [](std::chrono::milliseconds) {}; // nothing is waited for
        dry_ = std::make_unique<DryRunHttpClient>(*http_, pretend_droplet());
        listed_ = std::make_unique<TracedHttpClient>(
            *dry_,
            std::vector<std::string_view>{
                "tag_name", "name", "type", "private", "page", "per_page"},
            [this](const TracedRequest& request) { requests_.add(request); });
        client = listed_.get();
    }
    api_ = std::make_unique<DigitalOceanApi>(
        *client, find_digitalocean_token(context.io.env, context.io.processes), std::move(options));
}

void DropletAccount::print_requests(Context& context) const {
    if (context.global.json) {
        context.io.out << json_text(nlohmann::ordered_json{
                              {"dry_run", true}, {"requests", requests_.json()}})
                       << '\n';
    } else {
        requests_.print(context.io.out);
    }
}

CreateJournalStore create_journals(Context& context) {
    return CreateJournalStore(own_state_root(lookup_in(context.io.env)));
}

nlohmann::ordered_json json_of(const Droplet& droplet) {
    return {
        {"id", droplet.id},
        {"name", droplet.name},
        {"status", droplet.status},
        {"region", droplet.region},
        {"size", droplet.size},
        {"image", droplet.image},
        {"address", droplet.public_address},
        {"address6", droplet.public_address6},
        {"private_address", droplet.private_address},
        {"tags", droplet.tags},
        {"volumes", droplet.volumes},
        {"created", droplet.created_at}};
}

Droplet droplet_of(DigitalOceanApi& api, const std::string& id_or_name) {
    const auto missing = [&] {
        return UsageError(fmt::format("there is no droplet '{}'", excerpt(id_or_name)))
            .with_hint("'kiln droplet list --all' shows them");
    };
    if (const auto id = parse_unsigned(id_or_name)) {
        if (auto droplet = find_droplet(api, *id)) {
            return std::move(*droplet);
        }
        throw missing();
    }
    if (!is_droplet_name(id_or_name)) {
        throw missing();
    }
    std::vector<Droplet> found = droplets_named(api, id_or_name);
    if (found.empty()) {
        throw missing();
    }
    if (found.size() > 1) {
        std::vector<std::string> all;
        for (const Droplet& each : found) {
            all.push_back(describe(each));
        }
        throw UsageError(fmt::format("there are {} droplets '{}'", found.size(), id_or_name))
            .with_details(std::move(all))
            .with_hint("name the droplet by its id");
    }
    return std::move(found.front());
}

} // namespace kiln
