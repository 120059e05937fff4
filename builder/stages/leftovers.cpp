// SPDX-License-Identifier: MIT
#include "stages/leftovers.hpp"

#include "base/error.hpp"
#include "stages/accounts.hpp"

#include <fmt/format.h>
#include <fnmatch.h>
#include <unistd.h>

#include <array>
#include <set>
#include <string>
#include <vector>

namespace kiln {

namespace {

using enum LeftoverAction;

constexpr std::array kLeftovers{
    Leftover{"etc/passwd-", remove, "backup made by account tools"},
    Leftover{"etc/group-", remove, "backup made by account tools"},
    Leftover{"etc/shadow-", remove, "backup made by account tools"},
    Leftover{"etc/gshadow-", remove, "backup made by account tools"},
    Leftover{"etc/subuid-", remove, "backup made by account tools"},
    Leftover{"etc/subgid-", remove, "backup made by account tools"},
    Leftover{"etc/.pwd.lock", remove, "lock of account tools"},
    Leftover{"etc/machine-id", empty, "identity of one machine"},
    Leftover{"var/lib/dbus/machine-id", remove, "identity of one machine"},
    Leftover{"etc/ssh/ssh_host_*", remove, "host keys made by openssh-server's postinst"},
    Leftover{"etc/ssl/private/ssl-cert-snakeoil.key", remove, "private key made by ssl-cert"},
    Leftover{"etc/ssl/certs/ssl-cert-snakeoil.pem", remove, "certificate made by ssl-cert"},
    Leftover{"etc/iscsi/initiatorname.iscsi", remove, "identity of one machine"},
    Leftover{"etc/nvme/hostid", remove, "identity of one machine"},
    Leftover{"etc/nvme/hostnqn", remove, "identity of one machine"},
    Leftover{"etc/mailname", remove, "name of one machine"},
    Leftover{"root/.wget-hsts", remove, "history"},
    Leftover{"root/.bash_history", remove, "history"},
    Leftover{"root/.cache", remove, "cache"},
    Leftover{"var/cache/apt/*.bin", remove, "cache with times inside"},
    Leftover{"var/cache/debconf/*-old", remove, "backup made by debconf"},
    Leftover{"var/cache/ldconfig/aux-cache", remove, "inode numbers and times inside"},
    Leftover{"var/cache/man/*", remove, "index with times inside"},
    Leftover{"var/lib/apt/lists/*", remove, "archive indices; their mirror is nobody's business"},
    Leftover{"var/lib/apt/extended_states", remove, "cache"},
    Leftover{"var/lib/dpkg/*-old", remove, "backup made by dpkg"},
    Leftover{"var/lib/dpkg/lock*", remove, "lock of dpkg"},
    Leftover{"var/lib/dpkg/triggers/Lock", remove, "lock of dpkg"},
    Leftover{"var/lib/mysql/*", remove, "database: random server id, made at first run instead"},
    Leftover{"var/lib/systemd/random-seed", remove, "random"},
    Leftover{"var/lib/systemd/credential.secret", remove, "secret of one machine"},
    Leftover{"var/lib/ucf/cache/*", remove, "cache"},
    Leftover{"var/lib/ucf/*.0", remove, "backup made by ucf"},
    Leftover{"var/lib/ucf/*.1", remove, "backup made by ucf"},
    Leftover{"var/lib/cloud/*", remove, "state of one instance"},
    Leftover{"boot/grub/device.map", remove, "serial numbers of the builder's disks"},
    Leftover{"tmp/*", remove, "temporary"},
    Leftover{"var/tmp/*", remove, "temporary"},
    Leftover{"run/*", remove, "state of a running system"},
};

void apply(const Leftover& leftover, const fs::path& path) {
    if (leftover.action == remove) {
        fs::remove_all(path);
    } else if (fs::is_regular_file(fs::symlink_status(path)) && fs::file_size(path) > 0) {
        if (::truncate(path.c_str(), 0) != 0) {
            throw SystemError(fmt::format("cannot empty '{}'", path.string()));
        }
    }
}

/// Names in a directory that match, collected first: removing while iterating is undefined.
std::vector<fs::path> matches(const fs::path& root, std::string_view pattern) {
    const fs::path full = root / pattern;
    std::vector<fs::path> out;
    if (pattern.find('*') == std::string_view::npos) {
        if (fs::exists(fs::symlink_status(full))) {
            out.push_back(full);
        }
        return out;
    }
    const fs::path folder = full.parent_path();
    if (!fs::is_directory(fs::symlink_status(folder))) {
        return out;
    }
    const std::string name_pattern = full.filename().string();
    for (const auto& child : fs::directory_iterator(folder)) {
        if (::fnmatch(name_pattern.c_str(), child.path().filename().c_str(), 0) == 0) {
            out.push_back(child.path());
        }
    }
    return out;
}

/// Log files with content come from scripts that ran; empty ones (btmp, lastlog) are part of the
/// system. Packages do not ship logs with content.
void remove_logs(const fs::path& root) {
    const fs::path logs = root / "var/log";
    if (!fs::is_directory(fs::symlink_status(logs))) {
        return;
    }
    std::vector<fs::path> written;
    for (const auto& child : fs::recursive_directory_iterator(logs)) {
        if (child.is_regular_file() && !child.is_symlink() && child.file_size() > 0) {
            written.push_back(child.path());
        }
    }
    static const std::set<std::string> kKeptEmpty{"btmp", "wtmp", "lastlog", "faillog"};
    for (const fs::path& path : written) {
        if (kKeptEmpty.contains(path.filename().string())) {
            fs::resize_file(path, 0);
        } else if (path.filename() != "README") {
            fs::remove(path);
        }
    }
}

} // namespace

std::span<const Leftover> leftovers() {
    return kLeftovers;
}

void clean_leftovers(const fs::path& root, std::int64_t epoch) {
    for (const Leftover& leftover : kLeftovers) {
        for (const fs::path& path : matches(root, leftover.pattern)) {
            apply(leftover, path);
        }
    }
    remove_logs(root);
    AccountFiles accounts(root, epoch);
    accounts.clamp_password_days();
    accounts.save();
}

} // namespace kiln
