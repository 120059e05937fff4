// SPDX-License-Identifier: MIT
#include "verify/inspect/image_info.hpp"

#include "base/text.hpp"
#include "debian/deb822.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

namespace kiln {

namespace {

constexpr std::string_view kStatusPath = "var/lib/dpkg/status";
constexpr std::string_view kSystemUnits = "etc/systemd/system";

/// The value of an os-release(5) assignment, without the quotes and backslashes of the shell.
std::string unquote(std::string_view value) {
    std::string out;
    char quote = '\0';
    for (std::size_t i = 0; i < value.size(); ++i) {
        const char c = value[i];
        if (c == '\\' && quote != '\'' && i + 1 < value.size()) {
            out.push_back(value[++i]);
        } else if (quote == '\0' && (c == '"' || c == '\'')) {
            quote = c;
        } else if (c == quote && quote != '\0') {
            quote = '\0';
        } else {
            out.push_back(c);
        }
    }
    return out;
}

std::string first_line(const std::optional<std::string>& text) {
    return text ? std::string(trim(std::string_view(*text).substr(0, text->find('\n')))) : "";
}

std::vector<std::string> versions_with_prefix(ImageFiles& files, std::string_view prefix) {
    std::vector<std::string> versions;
    for (const std::string& name : files.list("boot")) {
        if (name.starts_with(prefix)) {
            versions.push_back(name.substr(prefix.size()));
        }
    }
    return versions;
}

std::vector<UserInfo> parse_passwd(std::string_view text) {
    constexpr std::size_t kFields = 7; // passwd(5)
    std::vector<UserInfo> users;
    for (const std::string& line : split_lines(text)) {
        const auto fields = split(line, ':');
        if (fields.size() != kFields) {
            continue;
        }
        const auto uid = parse_unsigned(fields[2]);
        const auto gid = parse_unsigned(fields[3]);
        if (uid && gid) {
            users.push_back(
                {fields[0],
                 static_cast<std::uint32_t>(*uid),
                 static_cast<std::uint32_t>(*gid),
                 fields[5],
                 fields[6]});
        }
    }
    return users;
}

std::vector<GroupInfo> parse_group(std::string_view text) {
    constexpr std::size_t kFields = 4; // group(5)
    std::vector<GroupInfo> groups;
    for (const std::string& line : split_lines(text)) {
        const auto fields = split(line, ':');
        if (fields.size() != kFields) {
            continue;
        }
        if (const auto gid = parse_unsigned(fields[2])) {
            const auto members =
                fields[3].empty() ? std::vector<std::string>() : split(fields[3], ',');
            groups.push_back({fields[0], static_cast<std::uint32_t>(*gid), members});
        }
    }
    return groups;
}

std::vector<EnabledUnit> read_units(ImageFiles& files) {
    constexpr std::array<std::string_view, 2> kSuffixes{".wants", ".requires"};
    std::vector<EnabledUnit> units;
    const std::string base(kSystemUnits);
    for (const std::string& name : files.list(base)) {
        for (const std::string_view suffix : kSuffixes) {
            if (!name.ends_with(suffix)) {
                continue;
            }
            for (const std::string& unit : files.list(fmt::format("{}/{}", base, name))) {
                units.push_back({unit, name.substr(0, name.size() - suffix.size())});
            }
        }
    }
    std::sort(units.begin(), units.end(), [](const EnabledUnit& a, const EnabledUnit& b) {
        return std::tie(a.wanted_by, a.unit) < std::tie(b.wanted_by, b.unit);
    });
    return units;
}

} // namespace

OsRelease parse_os_release(std::string_view text) {
    OsRelease release;
    for (const std::string& line : split_lines(text)) {
        const std::size_t equals = line.find('=');
        if (equals == std::string::npos || line.starts_with('#')) {
            continue;
        }
        const std::string_view key = trim(std::string_view(line).substr(0, equals));
        const std::string value = unquote(trim(std::string_view(line).substr(equals + 1)));
        if (key == "ID") {
            release.id = value;
        } else if (key == "VERSION_ID") {
            release.version = value;
        } else if (key == "VERSION_CODENAME") {
            release.codename = value;
        } else if (key == "PRETTY_NAME") {
            release.pretty_name = value;
        }
    }
    return release;
}

std::vector<InstalledPackage> parse_dpkg_status(std::string_view text) {
    std::vector<InstalledPackage> packages;
    Deb822Reader reader(text, std::string(kStatusPath));
    Deb822View paragraph;
    while (reader.next(paragraph)) {
        const auto words = deb822_words(paragraph.get("Status"));
        if (words.empty() || words.back() != "installed") {
            continue;
        }
        packages.push_back(
            {std::string(paragraph.get("Package")),
             std::string(paragraph.get("Version")),
             std::string(paragraph.get("Architecture"))});
    }
    std::sort(packages.begin(), packages.end(), [](const auto& a, const auto& b) {
        return std::tie(a.name, a.architecture) < std::tie(b.name, b.architecture);
    });
    return packages;
}

bool is_inspected_file(std::string_view path) {
    constexpr std::array<std::string_view, 8> kFiles{
        "etc/debian_version",
        "etc/fstab",
        "etc/group",
        "etc/hostname",
        "etc/os-release",
        "etc/passwd",
        "usr/lib/os-release",
        kStatusPath};
    return std::find(kFiles.begin(), kFiles.end(), path) != kFiles.end();
}

SystemInfo read_system_info(ImageFiles& files) {
    SystemInfo info;
    auto release = files.read("etc/os-release");
    if (!release) {
        release = files.read("usr/lib/os-release");
    }
    if (release) {
        info.os = parse_os_release(*release);
        info.os->point_release = first_line(files.read("etc/debian_version"));
    }
    info.hostname = first_line(files.read("etc/hostname"));
    info.kernels = versions_with_prefix(files, "vmlinuz-");
    info.module_trees = files.list("lib/modules");
    info.packages = parse_dpkg_status(files.read(std::string(kStatusPath)).value_or(""));
    info.users = parse_passwd(files.read("etc/passwd").value_or(""));
    info.groups = parse_group(files.read("etc/group").value_or(""));
    info.units = read_units(files);
    info.runit_services = files.list("etc/service");
    return info;
}

} // namespace kiln
