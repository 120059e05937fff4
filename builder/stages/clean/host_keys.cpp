// SPDX-License-Identifier: MIT
#include "stages/clean/host_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace kiln {

namespace {

constexpr std::string_view kName = "ssh-host-keys.service";
constexpr std::string_view kUnits = "etc/systemd/system";
constexpr std::string_view kText = R"([Unit]
Description=Make the host keys of this machine
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key
Before=ssh.service

[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -A
)";

} // namespace

bool has_host_keys(const TreeRoot& tree) {
    const auto names = tree.names("etc/ssh");
    return std::ranges::any_of(names, [](const std::string& name) {
        return name.starts_with("ssh_host_") && name.ends_with("_key");
    });
}

void make_host_keys_at_boot(const TreeRoot& tree) {
    const std::string path = fmt::format("{}/{}", kUnits, kName);
    if (tree.exists(path) || !tree.exists("lib/systemd/system/ssh.service")) {
        return;
    }
    tree.write_file(path, kText, {});
    // Debian starts the server itself or by its socket, which may have no service in front of it:
    // sockets come before services.
    for (const std::string_view unit : {"ssh.service", "ssh.socket"}) {
        const std::string wants = fmt::format("{}/{}.wants", kUnits, unit);
        tree.make_directories(wants);
        tree.make_link(fmt::format("{}/{}", wants, kName), fmt::format("/{}", path), {});
    }
}

} // namespace kiln
