// SPDX-License-Identifier: MIT
#include "stages/clean/cleanup_rules.hpp"

#include "stages/accounts.hpp"
#include "stages/clean/host_keys.hpp"
#include "stages/clean/stable_files.hpp"
#include "stages/tree_below.hpp"
#include "tree/file_tree.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <string>
#include <vector>

namespace kiln {

namespace {

using enum CleanupAction;

constexpr std::array kCleanupRules{
    CleanupRule{"etc/passwd-", remove, "backup made by account tools"},
    CleanupRule{"etc/group-", remove, "backup made by account tools"},
    CleanupRule{"etc/shadow-", remove, "backup made by account tools"},
    CleanupRule{"etc/gshadow-", remove, "backup made by account tools"},
    CleanupRule{"etc/subuid-", remove, "backup made by account tools"},
    CleanupRule{"etc/subgid-", remove, "backup made by account tools"},
    CleanupRule{"etc/.pwd.lock", remove, "lock of account tools"},
    CleanupRule{"etc/.git", remove, "history made by etckeeper; holds secrets that are gone since"},
    CleanupRule{"etc/.etckeeper", remove, "owners and modes of that history"},
    CleanupRule{"etc/machine-id", empty, "identity of one machine"},
    CleanupRule{"var/lib/dbus/machine-id", remove, "identity of one machine"},
    CleanupRule{"etc/ssh/ssh_host_*", remove, "host keys made by openssh-server's postinst"},
    CleanupRule{"etc/ssl/private/ssl-cert-snakeoil.key", remove, "private key made by ssl-cert"},
    CleanupRule{"etc/ssl/certs/ssl-cert-snakeoil.pem", remove, "certificate made by ssl-cert"},
    CleanupRule{"etc/iscsi/initiatorname.iscsi", remove, "identity of one machine"},
    CleanupRule{"etc/nvme/hostid", remove, "identity of one machine"},
    CleanupRule{"etc/nvme/hostnqn", remove, "identity of one machine"},
    CleanupRule{"root/.rnd", remove, "random; OpenSSL's seed"},
    CleanupRule{"root/.wget-hsts", remove, "history"},
    CleanupRule{"root/.bash_history", remove, "history"},
    CleanupRule{"root/.cache", remove, "cache"},
    CleanupRule{"var/cache/apt/*.bin", remove, "cache with times inside"},
    CleanupRule{"var/cache/debconf/*-old", remove, "backup made by debconf"},
    CleanupRule{"var/cache/ldconfig/aux-cache", remove, "inode numbers and times inside"},
    CleanupRule{"var/cache/man/*", remove, "index with times inside"},
    CleanupRule{
        "var/lib/apt/lists/*", remove, "archive indices; their mirror is nobody's business"},
    CleanupRule{"var/lib/dpkg/*-old", remove, "backup made by dpkg"},
    CleanupRule{"var/lib/dpkg/lock*", remove, "lock of dpkg"},
    CleanupRule{"var/lib/dpkg/triggers/Lock", remove, "lock of dpkg"},
    CleanupRule{"var/lib/mysql/*", remove, "database: random server id, made at first run instead"},
    CleanupRule{"var/lib/sss/db/*", remove, "cache that sssd makes when it starts"},
    CleanupRule{"var/lib/systemd/random-seed", remove, "random"},
    CleanupRule{"var/lib/systemd/credential.secret", remove, "secret of one machine"},
    CleanupRule{"var/lib/texmf/web2c/*.log", remove, "log with times inside"},
    CleanupRule{"var/lib/texmf/web2c/*/*.log", remove, "log with times inside"},
    CleanupRule{"var/lib/ucf/cache/*", remove, "cache"},
    CleanupRule{"var/lib/ucf/*.[0-7]", remove, "backup made by ucf"},
    CleanupRule{"var/lib/cloud/*", remove, "state of one instance"},
    CleanupRule{"boot/grub/device.map", remove, "serial numbers of the builder's disks"},
    CleanupRule{"tmp/*", remove, "temporary"},
    CleanupRule{"var/tmp/*", remove, "temporary"},
    CleanupRule{"run/*", remove, "state of a running system"},
};

/// Paths that match; links before the last component lead where the booted system would go.
std::vector<std::string> matches(const TreeRoot& tree, std::string_view pattern) {
    const std::size_t star = pattern.find('*');
    if (star == std::string_view::npos) {
        return {std::string(pattern)};
    }
    const std::size_t end = std::min(pattern.find('/', star), pattern.size());
    const std::string folder(parent_path(pattern.substr(0, end)));
    const std::string name_pattern(base_name(pattern.substr(0, end)));
    std::vector<std::string> out;
    for (const std::string& name : tree.names(folder)) {
        if (::fnmatch(name_pattern.c_str(), name.c_str(), 0) == 0) {
            std::ranges::move(
                matches(tree, fmt::format("{}/{}{}", folder, name, pattern.substr(end))),
                std::back_inserter(out));
        }
    }
    return out;
}

/// Removes and empties what the stage made.
class Cleaner {
  public:
    explicit Cleaner(const StageContext& context) : context_(context), tree_(context.tree) {}

    void apply(const CleanupRule& rule, const std::string& path) const {
        if (rule.action == empty) {
            empty_file(path);
        } else if (remove(path) && path == rule.pattern) {
            remove_links_to(path);
        }
    }

    /// Log files with content come from scripts that ran; empty ones (btmp, lastlog) are part of
    /// the system. Packages do not ship logs with content.
    void remove_logs(const std::string& folder) const {
        static const std::set<std::string, std::less<>> kKeptEmpty{
            "btmp", "wtmp", "lastlog", "faillog"};
        for (const std::string& name : tree_.names(folder)) {
            const std::string path = fmt::format("{}/{}", folder, name);
            const auto info = tree_.look(path);
            if (info && S_ISDIR(info->st_mode)) {
                remove_logs(path);
            } else if (info && S_ISREG(info->st_mode) && info->st_size > 0 && name != "README") {
                if (kKeptEmpty.contains(name)) {
                    empty_file(path);
                } else {
                    remove(path);
                }
            }
        }
    }

  private:
    void empty_file(const std::string& path) const {
        const auto info = tree_.look(path);
        if (info && !was_there(path, *info)) {
            tree_.empty_file(path);
        }
    }

    /// Whether a file went, or a folder as a whole.
    bool remove(const std::string& path) const {
        const auto info = tree_.look(path);
        if (!info || was_there(path, *info)) {
            return false;
        }
        const Entry* before = entry_below(context_, path);
        if (before == nullptr || before->type != FileType::directory) {
            tree_.remove(path);
            return true;
        }
        for (const std::string& name : tree_.names(path)) {
            remove(fmt::format("{}/{}", path, name));
        }
        return false;
    }

    /// Links beside a file that is gone, such as those by which OpenSSL finds certificates.
    void remove_links_to(const std::string& path) const {
        const std::string folder(parent_path(path));
        for (const std::string& name : tree_.names(folder)) {
            const std::string link = fmt::format("{}/{}", folder, name);
            const auto info = tree_.look(link);
            if (info && S_ISLNK(info->st_mode) && tree_.link_target(link) == base_name(path)) {
                remove(link);
            }
        }
    }

    [[nodiscard]] bool was_there(const std::string& path, const struct stat& info) const {
        return was_in_tree_below(context_, path, info);
    }

    const StageContext& context_;
    const TreeRoot& tree_;
};

} // namespace

std::span<const CleanupRule> cleanup_rules() {
    return kCleanupRules;
}

void clean_tree(const StageContext& context) {
    const TreeRoot& tree = context.tree;
    const Cleaner cleaner(context);
    const bool had_host_keys = has_host_keys(tree);
    for (const CleanupRule& rule : kCleanupRules) {
        for (const std::string& path : matches(tree, rule.pattern)) {
            cleaner.apply(rule, path);
        }
    }
    cleaner.remove_logs("var/log");
    if (had_host_keys && !has_host_keys(tree)) {
        make_host_keys_at_boot(tree);
    }
    stabilize_files(context);
    AccountFiles accounts(tree, context.settings.epoch);
    accounts.clamp_password_days();
    accounts.save();
}

} // namespace kiln
