// SPDX-License-Identifier: MIT
//
// Which port of this host an image's port is published on.
#pragma once

#include "run/instance.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// What --port asks for: a host port by name (or by number) of the image's.
using PortChoices = std::map<std::string, std::uint16_t, std::less<>>;

/// "NAME=N". Throws UsageError.
void add_port_choice(PortChoices& choices, std::string_view text);

/// A TCP port of 127.0.0.1 that nobody has at the moment. Throws SystemError.
[[nodiscard]] std::uint16_t free_port();

/// Every port with a place on this host: the chosen one, else a free one, or its own number where
/// the instance shares the host's network. Throws UsageError for choices that fit no port.
[[nodiscard]] std::vector<PublishedPort>
publish_ports(const std::vector<SuitePort>& ports, const PortChoices& choices, bool shares_network);

/// "https://127.0.0.1:40123" for ports whose number says what they speak, else "127.0.0.1:40123".
[[nodiscard]] std::string address_of(const PublishedPort& port);

/// True when something accepts connections there.
[[nodiscard]] bool accepts_connections(std::uint16_t host_port);

} // namespace kiln
