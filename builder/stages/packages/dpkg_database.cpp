// SPDX-License-Identifier: MIT
#include "stages/packages/dpkg_database.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "debian/deb822.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <sstream>

namespace kiln {

namespace {

/// A path in dpkg's administrative directory.
std::string admin(std::string_view name) {
    return fmt::format("/var/lib/dpkg/{}", name);
}

constexpr std::size_t kShownOfName = 60;

struct TriggerDirective {
    bool interest = false;
    bool await = true;
    std::string name;
};

/// A name without slash is the name of a file in triggers/.
void check_trigger_name(const PackageFile& package, const std::string& name) {
    const bool is_path = name.starts_with('/');
    if (name.starts_with('.') || (!is_path && name.find('/') != std::string::npos)) {
        throw Error(fmt::format(
            "package '{}': '{}' is not a valid trigger name",
            package.name,
            printable(name, kShownOfName)));
    }
}

std::vector<TriggerDirective> trigger_directives(const PackageFile& package) {
    std::vector<TriggerDirective> out;
    const auto file = package.control.files.find("triggers");
    if (file == package.control.files.end()) {
        return out;
    }
    for (const std::string& line : split_lines(file->second)) {
        std::istringstream words(line.substr(0, line.find('#')));
        std::string verb;
        TriggerDirective directive;
        if (!(words >> verb >> directive.name)) {
            continue;
        }
        directive.interest = verb.starts_with("interest");
        directive.await = !verb.ends_with("-noawait");
        check_trigger_name(package, directive.name);
        out.push_back(std::move(directive));
    }
    return out;
}

/// The control paragraph as the status file holds it right after unpacking.
std::string status_stanza(const PackageFile& package) {
    std::string out;
    for (const std::string& line : split_lines(package.control.files.at("control"))) {
        if (trim(line).empty()) {
            break;
        }
        out += line + "\n";
        if (line.starts_with("Package:")) {
            out += "Status: install ok unpacked\n";
        }
    }
    if (const auto conffiles = conffiles_of(package); !conffiles.empty()) {
        out += "Conffiles:\n";
        for (const std::string& path : conffiles) {
            out += fmt::format(" {} newconffile\n", path);
        }
    }
    return out + "\n";
}

} // namespace

std::vector<std::string> conffiles_of(const PackageFile& package) {
    std::vector<std::string> out;
    const auto file = package.control.files.find("conffiles");
    if (file == package.control.files.end()) {
        return out;
    }
    for (const std::string& line : split_lines(file->second)) {
        // "remove-on-upgrade PATH" names a file that the package does not have any more.
        if (line.starts_with('/')) {
            out.emplace_back(trim(line));
        }
    }
    return out;
}

DpkgDatabase::DpkgDatabase(const TreeRoot& tree) : tree_(tree) {
    if (exists()) {
        reload_diversions();
        load_packages();
        load_owners();
    }
}

bool DpkgDatabase::exists() const {
    return tree_.is_regular_file(admin("status"));
}

void DpkgDatabase::create() const {
    for (const char* directory : {"info", "updates", "triggers", "alternatives", "parts"}) {
        tree_.make_directories(admin(directory));
    }
    tree_.write_file(admin("status"), "", {});
    tree_.write_file(admin("available"), "", {});
    tree_.write_file(admin("info/format"), "1\n", {});
    tree_.write_file(admin("triggers/File"), "", {});
    tree_.write_file(admin("triggers/Unincorp"), "", {});
}

void DpkgDatabase::reload_diversions() {
    diversions_.clear();
    if (!tree_.is_regular_file(admin("diversions"))) {
        return;
    }
    const auto lines = split_lines(tree_.read_text(admin("diversions")));
    for (std::size_t i = 0; i + 2 < lines.size(); i += 3) {
        diversions_[lines[i]] = {lines[i + 1], lines[i + 2]};
    }
}

std::string DpkgDatabase::divert(const std::string& path, const std::string& package) const {
    const auto it = diversions_.find(path);
    return it == diversions_.end() || it->second.package == package ? path : it->second.to;
}

std::optional<std::string> DpkgDatabase::diverter_of(const std::string& path) const {
    const auto it = diversions_.find(path);
    return it == diversions_.end() ? std::nullopt : std::optional(it->second.package);
}

void DpkgDatabase::load_packages() {
    const std::string text = tree_.read_text(admin("status"));
    Deb822Reader reader(text, admin("status"));
    Deb822View paragraph;
    while (reader.next(paragraph)) {
        packages_[std::string(paragraph.get("Package"))] = {
            std::string(paragraph.get("Version")),
            parse_versioned_relations(paragraph.get("Replaces")),
            paragraph.get("Status").ends_with(" config-files")};
    }
}

void DpkgDatabase::load_owners() {
    constexpr std::string_view kSuffix = ".list";
    for (const std::string& name : tree_.names(admin("info"))) {
        if (!name.ends_with(kSuffix)) {
            continue;
        }
        const std::string package = name.substr(0, name.size() - kSuffix.size());
        for (std::string& line : split_lines(tree_.read_text(admin("info/" + name)))) {
            owners_[std::move(line)].push_back(package);
        }
    }
}

std::vector<std::string> DpkgDatabase::owners_of(const std::string& path) const {
    const auto it = owners_.find(path);
    return it == owners_.end() ? std::vector<std::string>() : it->second;
}

void DpkgDatabase::add_owner(const std::string& path, const std::string& info_name) {
    std::vector<std::string>& owners = owners_[path];
    if (std::find(owners.begin(), owners.end(), info_name) == owners.end()) {
        owners.push_back(info_name);
    }
}

KnownPackage DpkgDatabase::known(const std::string& package) const {
    const auto it = packages_.find(package);
    return it == packages_.end() ? KnownPackage() : it->second;
}

void DpkgDatabase::add_known(const PackageFile& package) {
    packages_[package.name] = {package.version, package.replaces, false};
}

void DpkgDatabase::remove_from_list(const std::string& path, const std::string& info_name) {
    std::erase(owners_[path], info_name);
    const std::string list = admin(fmt::format("info/{}.list", info_name));
    if (!tree_.is_regular_file(list)) {
        return;
    }
    std::string kept;
    for (const std::string& line : split_lines(tree_.read_text(list))) {
        if (line != path) {
            kept += line + "\n";
        }
    }
    tree_.write_file(list, kept, {});
}

void DpkgDatabase::record_unpacked(const std::vector<UnpackedPackage>& packages) const {
    for (const UnpackedPackage& unpacked : packages) {
        write_info(unpacked);
    }
    append_status(packages);
    register_interests(packages);
    activate_triggers(packages);
}

void DpkgDatabase::write_info(const UnpackedPackage& unpacked) const {
    const PackageFile& package = *unpacked.package;
    const std::string stem = package.info_name();
    for (const auto& [name, content] : package.control.files) {
        if (name != "control") {
            tree_.write_file(
                admin(fmt::format("info/{}.{}", stem, name)),
                content,
                {.mode = package.control.modes.at(name) & 0777U});
        }
    }
    if (!package.control.files.contains("md5sums")) {
        tree_.write_file(admin(fmt::format("info/{}.md5sums", stem)), unpacked.md5sums, {});
    }
    tree_.write_file(
        admin(fmt::format("info/{}.list", stem)), join(unpacked.paths, "\n") + "\n", {});
}

void DpkgDatabase::append_status(const std::vector<UnpackedPackage>& packages) const {
    std::string text;
    for (const UnpackedPackage& unpacked : packages) {
        text += status_stanza(*unpacked.package);
    }
    tree_.append(admin("status"), text);
}

void DpkgDatabase::register_interests(const std::vector<UnpackedPackage>& packages) const {
    for (const UnpackedPackage& unpacked : packages) {
        const std::string name = unpacked.package->info_name();
        for (const TriggerDirective& directive : trigger_directives(*unpacked.package)) {
            if (!directive.interest) {
                continue;
            }
            const std::string who = name + (directive.await ? "" : "/noawait");
            if (directive.name.starts_with('/')) {
                tree_.append(admin("triggers/File"), fmt::format("{} {}\n", directive.name, who));
            } else {
                tree_.append(admin("triggers/" + directive.name), who + "\n");
            }
        }
    }
}

/// Packages that are only unpacked need no trigger, their own configuring does the work; dpkg
/// drops those when it takes the list in. So every touched trigger may be listed.
void DpkgDatabase::activate_triggers(const std::vector<UnpackedPackage>& packages) const {
    std::vector<std::string> interests;
    for (const std::string& line : split_lines(tree_.read_text(admin("triggers/File")))) {
        interests.push_back(line.substr(0, line.find(' ')));
    }
    std::set<std::string> active;
    for (const UnpackedPackage& unpacked : packages) {
        for (const TriggerDirective& directive : trigger_directives(*unpacked.package)) {
            if (!directive.interest) {
                active.insert(directive.name);
            }
        }
        for (const std::string& path : unpacked.paths) {
            for (const std::string& interest : interests) {
                if (path.starts_with(interest) &&
                    (path.size() == interest.size() || path[interest.size()] == '/')) {
                    active.insert(interest);
                }
            }
        }
    }
    std::string text;
    for (const std::string& trigger : active) {
        text += trigger + " -\n";
    }
    tree_.append(admin("triggers/Unincorp"), text);
}

} // namespace kiln
