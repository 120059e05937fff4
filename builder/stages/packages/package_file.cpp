// SPDX-License-Identifier: MIT
#include "stages/packages/package_file.hpp"

namespace kiln {

namespace {

std::set<std::string> names_of(std::string_view relations) {
    std::set<std::string> out;
    for (const Alternatives& alternatives : parse_relations(relations)) {
        out.insert(alternatives.begin(), alternatives.end());
    }
    return out;
}

} // namespace

PackageFile read_package(const fs::path& path) {
    PackageFile package;
    package.path = path;
    package.control = read_deb_control(path);
    const DebControl& control = package.control;
    package.name = control.require_field("Package");
    package.version = control.require_field("Version");
    package.architecture = control.require_field("Architecture");
    package.essential = control.field("Essential") == "yes";
    package.multi_arch_same = control.field("Multi-Arch") == "same";
    package.pre_depends = parse_relations(control.field("Pre-Depends"));
    package.depends = parse_relations(control.field("Depends"));
    package.depends.insert(
        package.depends.end(), package.pre_depends.begin(), package.pre_depends.end());
    package.replaces = names_of(control.field("Replaces"));
    package.provides = names_of(control.field("Provides"));
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
