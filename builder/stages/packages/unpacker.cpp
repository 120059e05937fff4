// SPDX-License-Identifier: MIT
#include "stages/packages/unpacker.hpp"

#include "base/parallel.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

namespace kiln {

namespace {

Ownership ownership_of(const Entry& entry) {
    return {entry.uid, entry.gid, entry.mode};
}

std::string staged_at(std::string_view content) {
    return fmt::format("{}/{}", kGroundworkFolder, content);
}

} // namespace

Unpacker::Unpacker(StageContext& context, DpkgDatabase& database)
    : tree_(context.tree), jobs_(context.jobs), database_(database),
      kept_times_(context.kept_times), ahead_(dynamic_cast<StagedPackages*>(context.groundwork)) {
    if (ahead_ == nullptr) {
        tree_.remove(kGroundworkFolder); // of a script of an earlier stage, if anything
    }
    tree_.make_directories(kGroundworkFolder);
}

Unpacker::~Unpacker() {
    try {
        tree_.remove(kGroundworkFolder);
    } catch (const Error&) { // NOLINT(bugprone-empty-catch): a failed stage's tree is dropped
    }
}

std::vector<UnpackedPackage> Unpacker::unpack(
    const std::vector<const PackageFile*>& packages,
    const std::function<void(std::size_t)>& on_done) {
    std::vector<StagedPackage> staged(packages.size());
    std::vector<UnpackedPackage> out;
    parallel_ordered(
        packages.size(),
        jobs_,
        [&](std::size_t i) { staged[i] = take_staged(*packages[i]); },
        [&](std::size_t i) {
            with_context(fmt::format("unpacking package '{}'", packages[i]->name), [&] {
                out.push_back(place_package(*packages[i], staged[i]));
            });
            staged[i] = {};
            on_done(i);
        });
    drop_taken_over(out);
    return out;
}

/// Each package is asked for once, so that threads touch different elements of the map.
StagedPackage Unpacker::take_staged(const PackageFile& package) const {
    if (ahead_ != nullptr) {
        if (const auto found = ahead_->packages.find(package.info_name());
            found != ahead_->packages.end()) {
            return std::move(found->second);
        }
    }
    return stage_package(package, tree_, kGroundworkFolder);
}

/// Paths that a later package of the same batch replaced leave the earlier one's list.
void Unpacker::drop_taken_over(std::vector<UnpackedPackage>& unpacked) {
    for (UnpackedPackage& package : unpacked) {
        std::erase_if(package.paths, [&](const std::string& path) {
            return taken_over_.contains({package.package->info_name(), path});
        });
    }
    taken_over_.clear();
}

UnpackedPackage Unpacker::place_package(const PackageFile& package, const StagedPackage& staged) {
    conffiles_ = conffiles_of(package);
    std::sort(conffiles_.begin(), conffiles_.end());
    placed_.clear();
    UnpackedPackage unpacked{&package, {}};
    for (const StagedMember& member : staged) {
        unpacked.paths.push_back(member.path == "/" ? "/." : member.path);
        place_member(package, member);
    }
    tree_.remove(staged_at(package.info_name()));
    return unpacked;
}

void Unpacker::place_member(const PackageFile& package, const StagedMember& member) {
    if (member.path == "/") {
        return;
    }
    if (member.entry.type == FileType::directory) {
        place_directory(member, real_path(member.path));
        return;
    }
    claim(package, member);
    const std::string diverted = database_.divert(member.path, package.name);
    // dpkg keeps a new conffile beside its name until it configures the package.
    const bool is_conffile = std::binary_search(conffiles_.begin(), conffiles_.end(), member.path);
    const std::string real = real_path(diverted);
    const std::string at = is_conffile ? real + ".dpkg-new" : real;
    placed_[member.path] = at;
    if (member.entry.hardlink_to.empty()) {
        kept_times_[real] = member.entry.mtime;
    }
    if (member.entry.type == FileType::symlink) {
        place_symlink(member, at);
    } else if (!member.entry.hardlink_to.empty()) {
        place_hardlink(member, at);
    } else if (member.entry.type == FileType::regular) {
        place_regular(member, at);
    } else {
        throw Error(
            fmt::format("'{}' is a device or pipe, which kiln does not unpack", member.path));
    }
}

/// dpkg's rule: a directory that exists, also by way of a symlink, stays as it is.
void Unpacker::place_directory(const StagedMember& member, const std::string& at) const {
    if (const auto info = tree_.look(at)) {
        if (S_ISREG(info->st_mode)) {
            throw Error(fmt::format("'{}' is a file where a directory should be", member.path));
        }
        return;
    }
    tree_.make_directory(at, ownership_of(member.entry));
}

void Unpacker::place_regular(const StagedMember& member, const std::string& at) const {
    tree_.rename(staged_at(member.content), at);
}

void Unpacker::place_symlink(const StagedMember& member, const std::string& at) const {
    if (const auto info = tree_.look(at); info && S_ISDIR(info->st_mode)) {
        return; // dpkg keeps a directory where a package has a link to one
    }
    tree_.make_link(at, member.entry.target, ownership_of(member.entry));
    tree_.set_time(at, member.entry.mtime);
}

void Unpacker::place_hardlink(const StagedMember& member, const std::string& at) {
    const auto target = placed_.find("/" + member.entry.hardlink_to);
    if (target == placed_.end()) {
        throw Error(fmt::format(
            "'{}' is a hard link to '{}', which the package does not hold before it",
            member.path,
            member.entry.hardlink_to));
    }
    tree_.make_hard_link(target->second, at);
}

void Unpacker::claim(const PackageFile& package, const StagedMember& member) {
    if (const auto owner = database_.owner_of(member.path)) {
        const std::string owner_name = owner->substr(0, owner->find(':'));
        if (owner_name != package.name &&
            database_.divert(member.path, package.name) == member.path &&
            database_.divert(member.path, owner_name) == member.path) {
            if (!package.replaces.contains(owner_name)) {
                throw Error(fmt::format(
                    "it would overwrite '{}', which is in package '{}'", member.path, owner_name));
            }
            database_.remove_from_list(member.path, *owner);
            taken_over_.insert({*owner, member.path});
        }
    }
    database_.set_owner(member.path, package.info_name());
}

std::string Unpacker::real_path(const std::string& path) {
    const std::string parent(parent_path(std::string_view(path).substr(1)));
    auto known = real_directories_.find(parent);
    if (known == real_directories_.end()) {
        const std::string real = tree_.real_path(parent + "/x");
        known = real_directories_.emplace(parent, std::string(parent_path(real))).first;
    }
    const std::string name(base_name(path));
    return known->second.empty() ? name : known->second + "/" + name;
}

} // namespace kiln
