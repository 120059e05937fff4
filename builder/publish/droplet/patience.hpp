// SPDX-License-Identifier: MIT
//
// Requests that change something and may be sent again: because the API said "try again", or
// because sending them twice is sending them once.
#pragma once

#include "publish/digitalocean/api.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace kiln {

/// What DigitalOcean's own clients do: every 10 s for 5 min.
inline constexpr std::chrono::seconds kTryAgainDelay{10};
inline constexpr std::chrono::seconds kTryAgainFor{300};

/// Calls `request`; a refusal that may_work_later() is tried again after kTryAgainDelay, until
/// kTryAgainFor has passed. Throws the last one.
void try_again_later(DigitalOceanApi& api, const std::function<void()>& request);

/// POST of what may be sent twice: also repeated when its outcome is unclear.
void post_again(
    DigitalOceanApi& api,
    const std::string& path,
    const DigitalOceanApi::Json& body,
    const std::string& what);

} // namespace kiln
