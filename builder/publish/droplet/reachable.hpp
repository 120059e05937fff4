// SPDX-License-Identifier: MIT
//
// Whether a droplet answers: sshd by its banner, a site by its status. Sends nothing that is
// anybody's.
#pragma once

#include "base/http/http.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace kiln {

inline constexpr std::uint16_t kDropletSshPort = 22;

/// How the outside of a droplet is looked at, so that tests need no network.
struct DropletProbe {
    /// What a server says first, at most one line; empty when it says nothing within a few seconds.
    std::function<std::string(const std::string& address, std::uint16_t port)> banner;
    /// Of one GET without redirects; 0 when there was no answer.
    std::function<int(const std::string& url)> status;
};

/// Throws Interrupted. `address` is IPv4 in numbers.
[[nodiscard]] std::string server_banner(const std::string& address, std::uint16_t port);

/// The network. `http` must outlive it, and should believe any certificate: that of a new site is
/// its own.
[[nodiscard]] DropletProbe network_probe(HttpClient& http);

} // namespace kiln
