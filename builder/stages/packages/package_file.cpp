// SPDX-License-Identifier: MIT
#include "stages/packages/package_file.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kiln {

namespace {

constexpr std::size_t kLongestField = 200; // a file name with more is too long for most systems
constexpr std::size_t kShownOfField = 60;

std::set<std::string> names_of(std::string_view relations) {
    std::set<std::string> out;
    for (const Alternatives& alternatives : parse_relations(relations)) {
        out.insert(alternatives.begin(), alternatives.end());
    }
    return out;
}

bool is_letter_or_digit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// A field of control data that becomes a path below dpkg's directory or an argument: begins with a
/// letter or digit, then those and `others`, as dpkg has it (lib/dpkg/parsehelp.c).
std::string
plain_field(const DebControl& control, std::string_view field, std::string_view others) {
    std::string value = control.require_field(field);
    const bool is_plain =
        is_letter_or_digit(value.front()) && std::all_of(value.begin(), value.end(), [&](char c) {
            return is_letter_or_digit(c) || others.find(c) != std::string_view::npos;
        });
    if (!is_plain || value.size() > kLongestField) {
        throw Error(fmt::format(
            "'{}' is not a valid package: invalid field '{}': '{}'",
            control.path.filename().string(),
            field,
            printable(value, kShownOfField)));
    }
    return value;
}

/// Files of the control archive become files of dpkg's directory.
void check_file_names(const DebControl& control) {
    for (const auto& [name, content] : control.files) {
        if (name.find('/') != std::string::npos || name == "." || name == ".." || name.empty()) {
            throw Error(fmt::format(
                "'{}' is not a valid package: unexpected file '{}' in its control archive",
                control.path.filename().string(),
                printable(name, kShownOfField)));
        }
    }
}

} // namespace

PackageFile read_package(const fs::path& path) {
    PackageFile package;
    package.path = path;
    package.control = read_deb_control(path);
    const DebControl& control = package.control;
    check_file_names(control);
    package.name = plain_field(control, "Package", "+-._");
    package.version = plain_field(control, "Version", "+-.~:");
    package.architecture = plain_field(control, "Architecture", "-");
    package.essential = control.field("Essential") == "yes";
    package.multi_arch_same = control.field("Multi-Arch") == "same";
    package.pre_depends = parse_relations(control.field("Pre-Depends"));
    package.depends = parse_relations(control.field("Depends"));
    package.depends.insert(
        package.depends.end(), package.pre_depends.begin(), package.pre_depends.end());
    package.replaces = parse_versioned_relations(control.field("Replaces"));
    package.provides = names_of(control.field("Provides"));
    return package;
}

PackageFile read_locked_package(const LockedDeb& locked) {
    PackageFile package = read_package(locked.path);
    if (package.name != locked.name || package.version != locked.version ||
        package.architecture != locked.architecture) {
        throw Error(
            fmt::format(
                "the lock has '{} {} {}', but the package file is '{} {} {}'",
                locked.name,
                locked.version,
                locked.architecture,
                package.name,
                package.version,
                package.architecture),
            ExitCode::invalid_recipe)
            .with_details({fmt::format("file: {}", locked.path.string())})
            .with_hint("the lock or the archive's package list is wrong: run 'kiln lock RECIPE' to "
                       "update the lock");
    }
    return package;
}

DependencyIndex::DependencyIndex(const std::vector<PackageFile>& packages) : packages_(packages) {
    for (std::size_t i = 0; i < packages.size(); ++i) {
        by_name_[packages[i].name] = i;
    }
    for (std::size_t i = 0; i < packages.size(); ++i) {
        for (const std::string& provided : packages[i].provides) {
            by_name_.try_emplace(provided, i);
        }
    }
}

std::set<std::size_t>
DependencyIndex::satisfying(const std::vector<Alternatives>& relations) const {
    std::set<std::size_t> out;
    for (const Alternatives& alternatives : relations) {
        for (const std::string& name : alternatives) {
            if (const auto it = by_name_.find(name); it != by_name_.end()) {
                out.insert(it->second);
                break;
            }
        }
    }
    return out;
}

std::set<std::size_t> DependencyIndex::closure(const std::set<std::size_t>& start) const {
    std::set<std::size_t> seen;
    std::vector<std::size_t> open(start.begin(), start.end());
    while (!open.empty()) {
        const std::size_t package = open.back();
        open.pop_back();
        if (seen.insert(package).second) {
            for (const std::size_t next : satisfying(packages_[package].depends)) {
                open.push_back(next);
            }
        }
    }
    return seen;
}

} // namespace kiln
