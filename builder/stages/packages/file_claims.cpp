// SPDX-License-Identifier: MIT
#include "stages/packages/file_claims.hpp"

#include "base/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kiln {

namespace {

bool replaces(
    const std::vector<PackageVersions>& relations,
    std::string_view name,
    std::string_view version) {
    return std::any_of(relations.begin(), relations.end(), [&](const PackageVersions& r) {
        return r.include(name, version);
    });
}

std::string name_of(const std::string& info_name) {
    return info_name.substr(0, info_name.find(':'));
}

} // namespace

FileClaims::Verdict
FileClaims::claim(const PackageFile& package, const std::string& path, Overwrite overwrite) {
    std::vector<std::string> replaced;
    for (const std::string& owner : database_.owners_of(path)) {
        const std::string other = name_of(owner);
        const auto diverter = database_.diverter_of(path);
        if (other == package.name ||
            (diverter && (diverter == other || diverter == package.name))) {
            continue;
        }
        const KnownPackage known = database_.known(other);
        if (known.is_removed || replaces(package.replaces, other, known.version)) {
            replaced.push_back(owner);
        } else if (replaces(known.replaces, package.name, package.version)) {
            return Verdict::keep_other;
        } else if (overwrite == Overwrite::allowed) {
            replaced.push_back(owner);
        } else {
            throw Error(fmt::format(
                "trying to overwrite '{}', which is also in package '{}'", path, other));
        }
    }
    for (const std::string& owner : replaced) {
        database_.remove_from_list(path, owner);
        taken_over_.insert({owner, path});
    }
    database_.add_owner(path, package.info_name());
    return Verdict::place;
}

void FileClaims::settle(std::vector<UnpackedPackage>& unpacked) {
    for (UnpackedPackage& package : unpacked) {
        std::erase_if(package.paths, [&](const std::string& path) {
            return taken_over_.contains({package.package->info_name(), path});
        });
    }
    taken_over_.clear();
}

} // namespace kiln
