// SPDX-License-Identifier: MIT
#include "verify/lint/lint_rules.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace kiln {

namespace {

using enum PathRule::Applies;

constexpr std::string_view kOneSeed = "every instance would start from the same random seed";
constexpr std::string_view kData = "a database must be created on the data volume at first run";
constexpr std::string_view kHistory = "commands typed while the image was built";
constexpr std::string_view kLease = "an address leased by another machine";
constexpr std::string_view kLogin = "the owner of the key could log in to every instance";
constexpr std::string_view kLog = "a log of the build, different on every build";
constexpr std::string_view kLeftover = "left over from an interrupted or diverted unpacking";
constexpr std::string_view kCredential = "credentials of a user or of the build";
constexpr std::string_view kHostId = "every instance would have the same identifier";
constexpr std::string_view kTemporary = "temporary files of the build";

constexpr std::array kPathRules{
    PathRule{"ssh-host-key", "etc/ssh/ssh_host_*_key", always, kOneKey},
    PathRule{"ssh-host-key", "etc/ssh/ssh_host_*_key.pub", always, kOneKey},
    PathRule{"ssh-host-key", "etc/dropbear/dropbear_*_host_key", always, kOneKey},
    PathRule{"ssh-host-key", "etc/dropbear/initramfs/dropbear_*_host_key", always, kOneKey},
    PathRule{"service-key", "etc/munge/munge.key", always, kOneKey},
    PathRule{"service-key", "etc/bind/rndc.key", always, kOneKey},
    PathRule{"service-key", "etc/rndc.key", always, kOneKey},
    PathRule{"service-key", "etc/xrdp/rsakeys.ini", always, kOneKey},
    PathRule{"service-key", "var/lib/rabbitmq/.erlang.cookie", always, kOneKey},
    PathRule{"service-key", "var/lib/tor/keys/*", always, kOneKey},
    PathRule{"service-key", "var/lib/samba/private/secrets.tdb", always, kOneKey},
    PathRule{"snakeoil", "ssl-cert-snakeoil.pem", always, kOneKey},
    PathRule{"snakeoil", "ssl-cert-snakeoil.key", always, kOneKey},
    PathRule{"private-key", "etc/ssl/private/*", always, kOneKey},
    PathRule{"private-key", "root/.gnupg/private-keys-v1.d/*", always, kOneKey},
    PathRule{"private-key", "home/*/.gnupg/private-keys-v1.d/*", always, kOneKey},
    PathRule{"private-key", "secring.gpg", when_not_empty, kOneKey},
    PathRule{"acme-account", "etc/letsencrypt/accounts/*", always, kOneKey},
    PathRule{"acme-account", "etc/letsencrypt/archive/*", always, kOneKey},
    PathRule{"acme-account", "etc/letsencrypt/live/*", always, kOneKey},
    PathRule{"database", "ibdata1", always, kData},
    PathRule{"database", "*.ibd", always, kData},
    PathRule{"database", "ib_logfile*", always, kData},
    PathRule{"database", "aria_log_control", always, kData},
    PathRule{"database", "var/lib/postgresql/*/*/PG_VERSION", always, kData},
    PathRule{"history", ".*_history", when_not_empty, kHistory},
    PathRule{"history", ".lesshst", when_not_empty, kHistory},
    PathRule{"history", ".viminfo", when_not_empty, kHistory},
    PathRule{"history", ".wget-hsts", when_not_empty, kHistory},
    PathRule{"random-seed", "random-seed", always, kOneSeed},
    PathRule{"random-seed", "random_seed", always, kOneSeed},
    PathRule{"random-seed", ".rnd", when_not_empty, kOneSeed},
    PathRule{"random-seed", "var/lib/systemd/credential.secret", always, kOneSeed},
    PathRule{"dhcp-lease", "var/lib/dhcp/*.leases", when_not_empty, kLease},
    PathRule{"dhcp-lease", "var/lib/dhcpcd/*.lease", when_not_empty, kLease},
    PathRule{"dhcp-lease", "var/lib/NetworkManager/*.lease", when_not_empty, kLease},
    PathRule{"network-identity", "etc/udev/rules.d/70-persistent-net.rules", always, kHostId},
    PathRule{"authorized-keys", "authorized_keys", when_not_empty, kLogin},
    PathRule{"authorized-keys", "authorized_keys2", when_not_empty, kLogin},
    PathRule{"credentials", ".netrc", when_not_empty, kCredential},
    PathRule{"credentials", ".git-credentials", when_not_empty, kCredential},
    PathRule{"credentials", ".pgpass", when_not_empty, kCredential},
    PathRule{"credentials", ".my.cnf", when_not_empty, kCredential},
    PathRule{"credentials", "root/.docker/config.json", always, kCredential},
    PathRule{"credentials", "home/*/.docker/config.json", always, kCredential},
    PathRule{"credentials", "root/.aws/credentials", always, kCredential},
    PathRule{"credentials", "home/*/.aws/credentials", always, kCredential},
    PathRule{"credentials", "etc/apt/auth.conf", when_not_empty, kCredential},
    PathRule{"credentials", "etc/apt/auth.conf.d/*", when_not_empty, kCredential},
    PathRule{"credentials", "etc/krb5.keytab", always, kCredential},
    PathRule{"host-id", "etc/hostid", always, kHostId},
    PathRule{"host-id", "etc/nvme/hostid", when_not_empty, kHostId},
    PathRule{"host-id", "etc/nvme/hostnqn", when_not_empty, kHostId},
    PathRule{"cloud-instance", "var/lib/cloud/instance", always, kHostId},
    PathRule{"cloud-instance", "var/lib/cloud/instances/*", always, kHostId},
    PathRule{"device-map", "boot/grub/device.map", always, "lists the disks of the build host"},
    PathRule{"policy-rc.d", "usr/sbin/policy-rc.d", always, "no service would start"},
    PathRule{"dpkg-leftover", "*.dpkg-new", always, kLeftover},
    PathRule{"dpkg-leftover", "*.dpkg-old", always, kLeftover},
    PathRule{"dpkg-leftover", "*.dpkg-dist", always, kLeftover},
    PathRule{"dpkg-leftover", "*.dpkg-tmp", always, kLeftover},
    PathRule{"dpkg-leftover", "*.ucf-dist", always, kLeftover},
    PathRule{"dpkg-leftover", "*.ucf-old", always, kLeftover},
    PathRule{"dpkg-leftover", "*.ucf-new", always, kLeftover},
    PathRule{"log", "var/log/journal/*", always, kLog},
};

constexpr std::array kPlaceRules{
    PlaceRule{"database", "var/lib/mysql/", kData},
    PlaceRule{"database", "var/lib/ldap/", kData},
    PlaceRule{"log", "var/log/", kLog},
    PlaceRule{"mail", "var/mail/", "mail of the build"},
    PlaceRule{"mail", "var/spool/mail/", "mail of the build"},
    PlaceRule{"temporary", "run/", kTemporary},
    PlaceRule{"temporary", "tmp/", kTemporary},
    PlaceRule{"temporary", "var/tmp/", kTemporary},
};

/// shadow(5): a field that can be no hash begins so.
bool is_locked_password(std::string_view field) {
    constexpr std::array<std::string_view, 6> kLocked{"*", "!", "!!", "!*", "*LK*", "x"};
    return std::find(kLocked.begin(), kLocked.end(), field) != kLocked.end();
}

std::optional<ContentFault> check_passwords(std::string_view path, std::string_view content) {
    const bool is_group = path.ends_with("group") || path.ends_with("group-");
    for (const std::string& line : split_lines(content)) {
        const auto fields = split(line, ':');
        if (fields.size() < 3 || is_locked_password(fields[1])) {
            continue;
        }
        if (!fields[1].empty()) {
            return ContentFault{"password", fmt::format("'{}' has a password", fields[0])};
        }
        if (!is_group) {
            return ContentFault{
                "password", fmt::format("'{}' can log in without a password", fields[0])};
        }
    }
    return std::nullopt;
}

std::optional<ContentFault> check_machine_id(std::string_view content) {
    const std::string_view id = trim(content);
    if (id.empty() || id == "uninitialized") { // machine-id(5)
        return std::nullopt;
    }
    return ContentFault{"machine-id", std::string(kHostId)};
}

std::optional<ContentFault> check_resolver(std::string_view content) {
    constexpr std::string_view kKeyword = "nameserver";
    for (const std::string& line : split_lines(content)) {
        const std::string_view text = trim(line);
        if (!text.starts_with(kKeyword)) {
            continue;
        }
        const std::string_view address = trim(text.substr(kKeyword.size()));
        if (!address.starts_with("127.") && address != "::1") {
            return ContentFault{"resolver", "the name servers of the build host"};
        }
    }
    return std::nullopt;
}

/// "password = x" in the client section that Debian's MariaDB packages wrote once.
std::optional<ContentFault> check_option_file(std::string_view content) {
    for (const std::string& line : split_lines(content)) {
        const std::size_t equals = line.find('=');
        if (equals != std::string::npos &&
            trim(std::string_view(line).substr(0, equals)) == "password" &&
            !trim(std::string_view(line).substr(equals + 1)).empty()) {
            return ContentFault{"credentials", std::string(kCredential)};
        }
    }
    return std::nullopt;
}

/// debconf's database of passwords: "Value:" with something behind it.
std::optional<ContentFault> check_answers(std::string_view content) {
    for (const std::string& line : split_lines(content)) {
        if (line.starts_with("Value:") && !trim(std::string_view(line).substr(6)).empty()) {
            return ContentFault{"password", "debconf database contains a password"};
        }
    }
    return std::nullopt;
}

/// slapd.d(5): the administrator's password in a hash that is the same everywhere.
std::optional<ContentFault> check_directory(std::string_view content) {
    for (const std::string& line : split_lines(content)) {
        if (line.starts_with("olcRootPW:")) {
            return ContentFault{"password", "the directory's administrator has a password"};
        }
    }
    return std::nullopt;
}

std::optional<ContentFault> check_initiator(std::string_view content) {
    for (const std::string& line : split_lines(content)) {
        if (line.starts_with("InitiatorName=")) {
            return ContentFault{"host-id", std::string(kHostId)};
        }
    }
    return std::nullopt;
}

bool lies_in(std::string_view path, std::span<const std::string_view> places) {
    return std::ranges::any_of(
        places, [&](std::string_view place) { return path.starts_with(place); });
}

} // namespace

std::span<const PathRule> path_rules() {
    return kPathRules;
}

std::span<const PlaceRule> place_rules() {
    return kPlaceRules;
}

std::optional<ContentFault> check_known_content(std::string_view path, std::string_view content) {
    if (path == "etc/machine-id" || path == "var/lib/dbus/machine-id") {
        return check_machine_id(content);
    }
    constexpr std::array<std::string_view, 8> kAccounts{
        "etc/passwd",
        "etc/passwd-",
        "etc/shadow",
        "etc/shadow-",
        "etc/group",
        "etc/group-",
        "etc/gshadow",
        "etc/gshadow-"};
    if (std::find(kAccounts.begin(), kAccounts.end(), path) != kAccounts.end()) {
        return check_passwords(path, content);
    }
    if (path == "var/cache/debconf/passwords.dat") {
        return check_answers(content);
    }
    if (path.starts_with("etc/ldap/slapd.d/")) {
        return check_directory(content);
    }
    if (path == "etc/resolv.conf") {
        return check_resolver(content);
    }
    if (path == "etc/mysql/debian.cnf") {
        return check_option_file(content);
    }
    if (path == "etc/iscsi/initiatorname.iscsi") {
        return check_initiator(content);
    }
    return std::nullopt;
}

bool is_harmless(std::string_view path) {
    // Most of these have rules of their own.
    constexpr std::array<std::string_view, 7> kFiles{
        "etc/dbconfig-common/config",
        "etc/mysql/debian.cnf",
        "etc/shadow",
        "etc/shadow-",
        "etc/gshadow",
        "etc/gshadow-",
        "var/cache/debconf/passwords.dat"};
    constexpr std::array<std::string_view, 3> kPlaces{
        "etc/ldap/slapd.d/", "etc/postgresql/", "var/lib/dpkg/"};
    return std::ranges::find(kFiles, path) != kFiles.end() || lies_in(path, kPlaces);
}

bool is_scanned_place(std::string_view path) {
    constexpr std::array<std::string_view, 8> kPlaces{
        "etc/", "home/", "opt/", "root/", "srv/", "usr/local/", "var/", "boot/grub/"};
    return lies_in(path, kPlaces);
}

} // namespace kiln
