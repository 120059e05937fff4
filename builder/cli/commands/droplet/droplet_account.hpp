// SPDX-License-Identifier: MIT
//
// What the commands about droplets have in common: the account, a dry run of requests to it, and
// droplets as people and programs read them.
#pragma once

#include "cli/options/digitalocean_options.hpp"
#include "cli/options/input_options.hpp"
#include "publish/droplet/create_journal.hpp"
#include "publish/droplet/droplets.hpp"
#include "publish/dry_run.hpp"

#include <nlohmann/json_fwd.hpp>

#include <memory>
#include <string>

namespace kiln {

inline constexpr OptionSpec kDropletDryRunOption{
    .name = "--dry-run", .doc = "print the requests; send those only that change nothing"};

/// The API of --api-url with the token of the caller's environment.
class DropletAccount {
  public:
    enum class Mode { real, dry_run };

    DropletAccount(const Arguments& arguments, Context& context, Mode mode = Mode::real);

    [[nodiscard]] DigitalOceanApi& api() { return *api_; }

    /// What a dry run shows, to standard output.
    void print_requests(Context& context) const;

  private:
    InputServices services_;
    InputContext in_;
    std::unique_ptr<HttpClient> http_;
    RequestList requests_;
    std::unique_ptr<HttpClient> dry_;
    std::unique_ptr<HttpClient> listed_;
    std::unique_ptr<DigitalOceanApi> api_;
};

/// The unfinished creates of this user.
[[nodiscard]] CreateJournalStore create_journals(Context& context);

[[nodiscard]] nlohmann::ordered_json json_of(const Droplet& droplet);

/// The droplet of an id or a name. Throws UsageError when there is none, or several of the name.
[[nodiscard]] Droplet droplet_of(DigitalOceanApi& api, const std::string& id_or_name);

} // namespace kiln
