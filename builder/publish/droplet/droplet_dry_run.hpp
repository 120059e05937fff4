// SPDX-License-Identifier: MIT
//
// How a dry run of a droplet's create or destroy tells requests apart, see publish/dry_run.hpp.
#pragma once

#include "publish/dry_run.hpp"

#include <string_view>

namespace kiln {

/// False for what would change the account, and for questions about the droplet that was not made.
[[nodiscard]] bool is_droplet_request_sent(std::string_view method, std::string_view url);

/// For DryRunHttpClient: the droplet runs at once, with the volumes that it was requested with, and
/// its address is 192.0.2.1 (RFC 5737).
[[nodiscard]] DryRunHttpClient::Pretend pretend_droplet();

} // namespace kiln
