// SPDX-License-Identifier: MIT
#include "run/ports.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <set>

namespace kiln {

namespace {

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

/// The cast that the sockets' old interface wants.
sockaddr* generic(sockaddr_in& address) {
    return reinterpret_cast<sockaddr*>(&address);
}

UniqueFd tcp_socket() {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd.is_open()) {
        throw SystemError("cannot create a socket");
    }
    return fd;
}

} // namespace

void add_port_choice(PortChoices& choices, std::string_view text) {
    const std::size_t equals = text.find('=');
    const auto number =
        equals == std::string_view::npos ? std::nullopt : parse_unsigned(text.substr(equals + 1));
    constexpr std::uint64_t kLast = 65535;
    if (equals == 0 || !number || *number == 0 || *number > kLast) {
        throw UsageError(fmt::format(
            "invalid value '{}' (--port): expected NAME=N with a host port from 1 to 65535", text));
    }
    choices.insert_or_assign(
        std::string(text.substr(0, equals)), static_cast<std::uint16_t>(*number));
}

std::uint16_t free_port() {
    const UniqueFd fd = tcp_socket();
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(fd.get(), generic(address), size) != 0 ||
        ::getsockname(fd.get(), generic(address), &size) != 0) {
        throw SystemError("cannot find a free port on 127.0.0.1");
    }
    return ntohs(address.sin_port);
}

std::vector<PublishedPort> publish_ports(
    const std::vector<SuitePort>& ports, const PortChoices& choices, bool shares_network) {
    std::set<std::string, std::less<>> unused;
    for (const auto& [name, host] : choices) {
        unused.insert(name);
    }
    std::vector<PublishedPort> out;
    for (const SuitePort& port : ports) {
        PublishedPort published{port.name, port.port, 0};
        for (const std::string& name : {port.name, std::to_string(port.port)}) {
            if (const auto chosen = choices.find(name); chosen != choices.end()) {
                published.host = chosen->second;
                unused.erase(name);
            }
        }
        if (shares_network) {
            if (published.host != 0 && published.host != published.port) {
                throw UsageError(fmt::format(
                    "port '{}' cannot be remapped with the host's network (--port)", port.name));
            }
            published.host = published.port;
        }
        const auto is_taken = [&] {
            return published.host == 0 ||
                   std::any_of(out.begin(), out.end(), [&](const PublishedPort& other) {
                       return other.host == published.host;
                   });
        };
        for (const bool chosen = published.host != 0; !chosen && is_taken();) {
            published.host = free_port();
        }
        out.push_back(std::move(published));
    }
    if (!unused.empty()) {
        std::vector<std::string_view> names;
        for (const SuitePort& port : ports) {
            names.push_back(port.name);
        }
        throw UsageError(fmt::format("unknown port '{}' (--port)", *unused.begin()))
            .with_hint(did_you_mean(*unused.begin(), names))
            .with_hint(
                names.empty() ? "it has none" : fmt::format("it has: {}", fmt::join(names, ", ")));
    }
    return out;
}

std::string address_of(const PublishedPort& port) {
    constexpr std::uint16_t kHttp = 80;
    constexpr std::uint16_t kHttpAlternative = 8080;
    constexpr std::uint16_t kHttps = 443;
    constexpr std::uint16_t kHttpsAlternative = 8443;
    std::string_view scheme;
    if (port.port == kHttp || port.port == kHttpAlternative) {
        scheme = "http://";
    } else if (port.port == kHttps || port.port == kHttpsAlternative) {
        scheme = "https://";
    }
    return fmt::format("{}127.0.0.1:{}", scheme, port.host);
}

bool accepts_connections(std::uint16_t host_port) {
    const UniqueFd fd = tcp_socket();
    sockaddr_in address = loopback(host_port);
    return ::connect(fd.get(), generic(address), sizeof address) == 0;
}

} // namespace kiln
