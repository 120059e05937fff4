// SPDX-License-Identifier: MIT
#include "recipe/lint_exception.hpp"

#include <array>
#include <cstddef>

namespace kiln {

namespace {

constexpr std::array kRules{
    LintRule{"acme-account", "accounts and certificates of an ACME authority"},
    LintRule{"authorized-keys", "keys that open every machine"},
    LintRule{"builder-trace", "the build host's name or its directories"},
    LintRule{"cloud-instance", "what cloud-init noted about a running instance"},
    LintRule{"credentials", "passwords and tokens of people or of the build"},
    LintRule{"database", "files of a database server"},
    LintRule{"device-map", "GRUB's map of the build host's disks"},
    LintRule{"dhcp-lease", "network leases"},
    LintRule{"dpkg-leftover", "files that dpkg or ucf put aside"},
    LintRule{"history", "histories of shells and other programs"},
    LintRule{"host-id", "identifiers of one machine"},
    LintRule{"log", "logs with content"},
    LintRule{"machine-id", "a machine-id that is not empty"},
    LintRule{"mail", "mail in spools"},
    LintRule{"network-identity", "interface names bound to one machine"},
    LintRule{"password", "accounts with a password, or that need none"},
    LintRule{"policy-rc.d", "the build's stop on services"},
    LintRule{"private-key", "private keys"},
    LintRule{"random-seed", "saved randomness"},
    LintRule{"resolver", "name servers of the build host"},
    LintRule{"secret", "what programs made for one reader, or that looks like a key"},
    LintRule{"service-key", "keys that packages make for their services"},
    LintRule{"snakeoil", "the certificate that ssl-cert makes"},
    LintRule{"ssh-host-key", "host keys of the SSH server"},
    LintRule{"temporary", "files below tmp, var/tmp and run"},
};

constexpr auto kNames = [] {
    std::array<std::string_view, kRules.size()> names;
    for (std::size_t i = 0; i < names.size(); ++i) {
        names[i] = kRules[i].name;
    }
    return names;
}();

} // namespace

std::span<const LintRule> lint_rules() {
    return kRules;
}

std::span<const std::string_view> lint_rule_names() {
    return kNames;
}

} // namespace kiln
