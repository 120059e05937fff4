// SPDX-License-Identifier: MIT
#include "stages/packages/local_policy.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

namespace kiln {

namespace {

constexpr const char* kSettingsFolder = "/etc/dpkg/dpkg.cfg.d";
constexpr const char* kSettingsFile = "/etc/dpkg/dpkg.cfg";
constexpr const char* kOverrides = "/var/lib/dpkg/statoverride";

bool is_letter_or_digit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// dpkg reads no others, such as editors' backups.
bool is_settings_name(std::string_view name) {
    return std::all_of(name.begin(), name.end(), [](char c) {
        return is_letter_or_digit(c) || c == '_' || c == '-';
    });
}

std::string_view without_quotes(std::string_view text) {
    const bool quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
                        text.front() == text.back();
    return quoted ? text.substr(1, text.size() - 2) : text;
}

/// The part of a pattern before its first wildcard, without slashes at its end.
std::string_view fixed_part(std::string_view pattern) {
    std::string_view fixed = pattern.substr(0, pattern.find_first_of("*?[\\"));
    while (fixed.ends_with('/')) {
        fixed.remove_suffix(1);
    }
    return fixed;
}

/// "#12" is a number, anything else a name (dpkg-statoverride(1)).
std::optional<std::uint32_t> number_in(const std::string& word) {
    const auto number =
        word.starts_with('#') ? parse_unsigned(std::string_view(word).substr(1)) : std::nullopt;
    return number && *number < UINT32_MAX ? std::optional(static_cast<std::uint32_t>(*number))
                                          : std::nullopt;
}

Error bad_override(const std::string& line, std::string_view why) {
    return Error(fmt::format("invalid line in '{}': '{}': {}", kOverrides, printable(line), why))
        .with_hint("remove it with 'dpkg-statoverride --remove PATH' in a run stage");
}

} // namespace

LocalPolicy::LocalPolicy(const TreeRoot& tree) : tree_(tree), accounts_(tree, 0) {
    for (const std::string& name : tree.names(kSettingsFolder)) {
        if (is_settings_name(name)) {
            read_settings(fmt::format("{}/{}", kSettingsFolder, name));
        }
    }
    read_settings(kSettingsFile);
    read_overrides();
}

/// Lines "name=value", "name value", "name", as lib/dpkg/options.c reads them. What dpkg itself
/// refuses it will refuse when it configures.
void LocalPolicy::read_settings(const std::string& path) {
    if (!tree_.is_regular_file(path)) {
        return;
    }
    for (const std::string& line : split_lines(tree_.read_text(path))) {
        const auto end = std::find_if_not(
            line.begin(), line.end(), [](char c) { return is_letter_or_digit(c) || c == '-'; });
        const std::string_view name(line.data(), static_cast<std::size_t>(end - line.begin()));
        std::string_view value = trim(std::string_view(line).substr(name.size()));
        if (value.starts_with('=')) {
            value = trim(value.substr(1));
        }
        apply_setting(name, without_quotes(value));
    }
}

void LocalPolicy::apply_setting(std::string_view name, std::string_view value) {
    if (name == "path-exclude" || name == "path-include") {
        filters_.push_back({name == "path-include", std::string(value)});
    } else if (name == "force-overwrite" || name == "force-all") {
        overwrites_ = true;
    } else if (
        name == "no-force-overwrite" || name == "refuse-overwrite" || name == "no-force-all" ||
        name == "refuse-all") {
        overwrites_ = false;
    }
}

/// Lines "USER GROUP MODE PATH" (lib/dpkg/db-fsys-override.c).
void LocalPolicy::read_overrides() {
    constexpr std::size_t kWords = 4;
    constexpr unsigned kPermissions = 07777;
    if (!tree_.is_regular_file(kOverrides)) {
        return;
    }
    for (const std::string& line : split_lines(tree_.read_text(kOverrides))) {
        const auto words = split(line, ' ');
        if (words.size() < kWords) {
            throw bad_override(line, "expected USER GROUP MODE PATH");
        }
        const auto uid = words[0].starts_with('#') ? number_in(words[0]) : user(words[0]);
        const auto gid = words[1].starts_with('#') ? number_in(words[1]) : group(words[1]);
        const auto mode = parse_unsigned(words[2], 8);
        if (!uid) {
            throw bad_override(
                line, fmt::format("user '{}' does not exist in the tree", printable(words[0])));
        }
        if (!gid) {
            throw bad_override(
                line, fmt::format("group '{}' does not exist in the tree", printable(words[1])));
        }
        if (!mode || *mode > kPermissions) {
            throw bad_override(line, fmt::format("'{}' is not a valid mode", printable(words[2])));
        }
        const std::size_t before = words[0].size() + words[1].size() + words[2].size() + 3;
        overrides_[line.substr(before)] = {*uid, *gid, static_cast<std::uint32_t>(*mode)};
    }
}

std::optional<std::uint32_t> LocalPolicy::user(const std::string& name) {
    const auto [known, is_new] = users_.try_emplace(name);
    if (is_new) {
        known->second = accounts_.user_id(name);
    }
    return known->second;
}

std::optional<std::uint32_t> LocalPolicy::group(const std::string& name) {
    const auto [known, is_new] = groups_.try_emplace(name);
    if (is_new) {
        known->second = accounts_.group_id(name);
    }
    return known->second;
}

Ownership LocalPolicy::ownership_of(const StagedMember& member) {
    if (const auto found = overrides_.find(member.path); found != overrides_.end()) {
        return found->second;
    }
    const Entry& entry = member.entry;
    const auto uid = member.user.empty() ? std::nullopt : user(member.user);
    const auto gid = member.group.empty() ? std::nullopt : group(member.group);
    return {uid.value_or(entry.uid), gid.value_or(entry.gid), entry.mode};
}

bool LocalPolicy::excludes(const StagedMember& member) const {
    const auto decisive = std::find_if(filters_.rbegin(), filters_.rend(), [&](const Filter& f) {
        return ::fnmatch(f.pattern.c_str(), member.path.c_str(), 0) == 0;
    });
    if (decisive == filters_.rend() || decisive->include) {
        return false;
    }
    // dpkg keeps folders, and links that may lead to some, that an include may reach into.
    const bool may_lead_on =
        member.entry.hardlink_to.empty() &&
        (member.entry.type == FileType::directory || member.entry.type == FileType::symlink);
    return !may_lead_on || std::none_of(filters_.begin(), filters_.end(), [&](const Filter& f) {
        return f.include && member.path.starts_with(fixed_part(f.pattern));
    });
}

} // namespace kiln
