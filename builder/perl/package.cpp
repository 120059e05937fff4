// SPDX-License-Identifier: MIT
#include "perl/package.hpp"

#include "archive/archive_reader.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace kiln {

namespace {

constexpr std::string_view kModules = "usr/share/perl5/";
constexpr std::string_view kPrograms = "usr/bin/";

std::string lower_case(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

/// "Foo-Bar" -> "libfoo-bar-perl"
std::string library_name(const std::string& distribution) {
    return fmt::format("lib{}-perl", lower_case(distribution));
}

bool is_perl_library(const std::string& package) {
    return package.starts_with("lib") && package.ends_with("-perl");
}

bool stands_for(const BundleMember& member, const std::string& package) {
    return member.name == package || member.distribution.name == package ||
           library_name(member.distribution.name) == package;
}

/// "Foo::Bar" -> "Foo-Bar"
std::string distribution_name(const std::string& module) {
    std::string out;
    for (const char c : module) {
        if (c != ':') {
            out += c;
        } else if (!out.ends_with('-')) {
            out += '-';
        }
    }
    return out;
}

bool is_core(const std::string& package, const PerlModules& core) {
    return std::any_of(core.begin(), core.end(), [&](const auto& module) {
        return library_name(distribution_name(module.first)) == package;
    });
}

/// The first member that one of the alternatives means.
std::optional<std::string>
member_for(const Alternatives& alternatives, const std::vector<BundleMember>& members) {
    for (const std::string& package : alternatives) {
        const auto found =
            std::find_if(members.begin(), members.end(), [&](const BundleMember& member) {
                return stands_for(member, package);
            });
        if (found != members.end()) {
            return found->name;
        }
    }
    return std::nullopt;
}

} // namespace

PackagePlace place_of_package_file(std::string_view path) {
    if (path.starts_with(kModules)) {
        return {PackagePlace::Kind::module, std::string(path.substr(kModules.size()))};
    }
    if (path.starts_with(kPrograms)) {
        return {PackagePlace::Kind::program, std::string(path.substr(kPrograms.size()))};
    }
    return {};
}

PerlPackage read_perl_package(const std::filesystem::path& path) {
    const DebControl control = read_deb_control(path);
    PerlPackage out;
    out.distribution.name = control.require_field("Package");
    out.distribution.version = control.require_field("Version");
    out.distribution.tool = BuildTool::none;
    out.depends = parse_relations(control.field("Depends"));
    if (control.require_field("Architecture") != "all") {
        throw Error(
            fmt::format("package '{}' is compiled for Debian's perl", out.distribution.name));
    }
    read_deb_data(path, [&](ArchiveReader& reader) {
        while (const auto member = reader.next()) {
            const PackagePlace place = place_of_package_file(member->path);
            if (place.kind != PackagePlace::Kind::module ||
                member->entry.type != FileType::regular || !is_module_file(place.path)) {
                continue;
            }
            MemorySink text;
            copy(reader.content(), text);
            out.distribution.modules.merge(find_modules(place.path, text.text()));
        }
    });
    return out;
}

std::vector<std::string> members_for(
    const std::vector<Alternatives>& depends,
    const std::string& package,
    const std::vector<BundleMember>& members,
    const PerlModules& core,
    std::vector<std::string>& faults) {
    std::vector<std::string> out;
    for (const Alternatives& alternatives : depends) {
        if (const auto member = member_for(alternatives, members)) {
            out.push_back(*member);
            continue;
        }
        const bool satisfied =
            std::any_of(alternatives.begin(), alternatives.end(), [&](const std::string& each) {
                return !is_perl_library(each) || is_core(each, core);
            });
        if (!satisfied) {
            faults.push_back(fmt::format(
                "{} requires {}, which no distribution in the bundle provides",
                package,
                alternatives.front()));
        }
    }
    return out;
}

} // namespace kiln
