// SPDX-License-Identifier: MIT
#include "cli/project_template.hpp"

#include <array>
#include <utility>

namespace kiln {

namespace {

constexpr std::string_view kProject =
    R"(# Where kiln finds and puts the files of this project, from any folder in it.
kiln: 1
recipes: recipes
suites: recipes/accept
results: out
)";

constexpr std::string_view kRecipe =
    R"(# What the system is made of. 'kiln bake @NAME@' builds it; 'kiln check @NAME@' finds mistakes.
kiln: 1
name: @NAME@
summary: a small Debian with systemd and a network

archives:
  - archive: debian
    suites: [bookworm, bookworm-updates]
    components: [main]
  - archive: debian-security
    suites: [bookworm-security]
    components: [main]

# Fixed numbers for the users and groups that packages create.
ids:
  users: {messagebus: 100, systemd-network: 998}
  groups: {messagebus: 102, systemd-network: 998, systemd-journal: 999}

# For both images, in this order.
stages:
  - stage: packages
    name: base
    install: [ca-certificates, iproute2, procps]

# For the disk only: kernel, boot loader, init.
vm:
  stages:
    - part: debian-12-vm

    - stage: services
      name: units
      enable: [systemd-networkd.service]

    - stage: kernel

# Last, since these files change most often: an edit rebuilds nothing else.
final:
  stages:
    - stage: overlay
      name: config
      from: ../overlays/@NAME@

# A disk for QEMU and clouds, and a container image for Docker, Podman and registries.
images: [qcow2, oci]

# What must hold when it runs: 'kiln accept @NAME@'.
accept: @NAME@

oci:
  config:
    cmd: [/bin/bash]
)";

constexpr std::string_view kSuite = R"(# Checks of the running images, for 'kiln accept @NAME@'.
kiln: 1
suite: @NAME@

# The image has no ssh server, so commands run over the VM's serial port.
vm:
  memory: 512MiB
  inside: serial

# The image has no service of its own, so something must keep the container running.
container:
  command: [sleep, infinity]

ready:
  console: "login:"

login: |
  echo "no account has a password yet: add one, or an ssh server and a key, in overlays/@NAME@"

checks:
  - check: boot
    title: the system is up and no unit has failed
    only: [vm]
    run: |
      inside systemctl is-system-running --wait || {
        inside systemctl --failed --plain --no-legend
        exit 1
      }

  - check: motd
    title: the overlay's files are in place
    run: inside grep -F @NAME@ /etc/motd
)";

constexpr auto kFiles = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"kiln.yaml", kProject},
    {"recipes/@NAME@.yaml", kRecipe},
    {"recipes/accept/@NAME@.yaml", kSuite},
    {"overlays/@NAME@/etc/hostname", "@NAME@\n"},
    {"overlays/@NAME@/etc/hosts",
     "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"},
    {"overlays/@NAME@/etc/motd", "\n@NAME@, built with kiln.\n\n"},
    {"overlays/@NAME@/etc/systemd/network/80-dhcp.network",
     "[Match]\nType=ether\n\n[Network]\nDHCP=yes\n"},
    {".gitignore", "/out/\n"},
});

std::string with_name(std::string_view text, std::string_view name) {
    constexpr std::string_view kPlace = "@NAME@";
    std::string out(text);
    for (std::size_t at = 0; (at = out.find(kPlace, at)) != std::string::npos; at += name.size()) {
        out.replace(at, kPlace.size(), name);
    }
    return out;
}

} // namespace

std::vector<TemplateFile> project_template(std::string_view name) {
    std::vector<TemplateFile> out;
    for (const auto& [path, text] : kFiles) {
        out.push_back({with_name(path, name), with_name(text, name)});
    }
    return out;
}

} // namespace kiln
